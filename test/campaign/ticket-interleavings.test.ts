import { test } from 'node:test'
import { interleave } from '../helpers/interleavings.ts'

const runs = Number(process.env['PORTCULLIS_INTERLEAVINGS'] ?? 300)

// All of REL-06 takes longer than a campaign may: test/long/ runs ten thousand.
void test(`${runs} interleavings of dispatch, cancel, retry, finish and crash hold`, (context) => interleave(context, runs))
