import { importGroup } from './group.ts'

await importGroup('wire')
