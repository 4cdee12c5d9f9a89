import { importGroup } from './group.ts'

await importGroup('adapters')
