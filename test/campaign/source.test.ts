import { importGroup } from '../groups/group.ts'

await importGroup('campaign')
