import { test } from 'node:test'
import { interleave } from '../helpers/interleavings.ts'

test('10,000 interleavings of dispatch, cancel, retry, finish and crash: never two live epochs, never two sends into a busy session, always a terminal record', (context) => interleave(context, 10_000))
