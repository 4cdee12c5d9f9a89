import { test } from 'node:test'
import { workTickets } from '../helpers/ticket-workers.ts'

// Two hundred over twenty sessions are worked by test/long/.
test('12 tickets over 4 sessions with two workers, one killed: every ticket is completed, and none twice', (context) => workTickets(context, { tickets: 12, sessions: 2 }))
