import { importGroup } from './group.ts'

await importGroup('processes')
