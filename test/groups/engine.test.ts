import { importGroup } from './group.ts'

await importGroup('engine')
