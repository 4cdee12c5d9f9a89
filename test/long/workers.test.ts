import { killAWorker } from '../helpers/kill-a-worker.ts'
import { verifies } from '../verifies.ts'

verifies('REL-04', 'two workers, 500 runs, one killed midway: none lost, none recorded twice, taken over within its lease and a second', (context) => killAWorker(context, 500))
