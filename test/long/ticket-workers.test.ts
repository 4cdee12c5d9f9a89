import { workTickets } from '../helpers/ticket-workers.ts'
import { verifies } from '../verifies.ts'

verifies('MC-022 MC-034', '200 tickets over 20 sessions with two workers, one killed: every ticket is completed, and none twice', (context) => workTickets(context, { tickets: 200, sessions: 10 }))
