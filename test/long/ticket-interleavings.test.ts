import { test } from 'node:test'
import { interleave } from '../helpers/interleavings.ts'
import { verifies } from '../verifies.ts'

/** As many as the requirement says. Another number is for whoever looks for a fault, and proves nothing of the requirement. */
const ALL = 10_000
const runs = Number(process.env['PORTCULLIS_INTERLEAVINGS'] ?? ALL)

if (runs >= ALL) verifies('REL-06', '10,000 interleavings of dispatch, cancel, retry, finish and crash: never two live epochs, never two sends into a busy session, always a terminal record', (context) => interleave(context, runs))
else void test(`${runs} interleavings of dispatch, cancel, retry, finish and crash hold`, (context) => interleave(context, runs))
