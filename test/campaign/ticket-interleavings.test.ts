import { test } from 'node:test'
import { interleave } from '../helpers/interleavings.ts'

// All of REL-06 takes longer than a campaign may: test/long/ runs ten thousand.
test('300 interleavings of dispatch, cancel, retry, finish and crash hold', (context) => interleave(context, 300))
