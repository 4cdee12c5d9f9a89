import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { createHashHistory, createRootRoute, createRoute, createRouter, RouterProvider } from '@tanstack/react-router'
import { createRoot } from 'react-dom/client'
import { Refused } from './api.ts'
import { Access } from './pages/access.tsx'
import { AgentPage } from './pages/agent.tsx'
import { Agents, agentsSearch } from './pages/agents.tsx'
import { Checks } from './pages/checks.tsx'
import { Gatehouse } from './pages/gatehouse.tsx'
import { Models } from './pages/models.tsx'
import { RunPage } from './pages/run.tsx'
import { Runs, runsSearch } from './pages/runs.tsx'
import { TicketPage } from './pages/ticket.tsx'
import { Tickets, ticketsSearch } from './pages/tickets.tsx'
import { Verify, verifySearch } from './pages/verify.tsx'
import { Shell } from './shell.tsx'
import { Empty, Fault } from './ui.tsx'
import './styles.css'

// Addresses of pages stand behind the #: what stands before it belongs to the API.
const root = createRootRoute({ component: Shell, notFoundComponent: () => <Empty what="There is no such page." first="The pages stand in the bar above." />, errorComponent: ({ error }) => <Fault error={error} /> })
const runRoute = createRoute({ getParentRoute: () => root, path: '/runs/$run', component: () => <RunPage id={runRoute.useParams().run} /> })
const ticketRoute = createRoute({ getParentRoute: () => root, path: '/tickets/$ticket', component: () => <TicketPage id={ticketRoute.useParams().ticket} /> })
const agentRoute = createRoute({ getParentRoute: () => root, path: '/agents/$agent', component: () => <AgentPage name={agentRoute.useParams().agent} /> })
const routes = [
  createRoute({ getParentRoute: () => root, path: '/', component: Gatehouse }),
  createRoute({ getParentRoute: () => root, path: '/runs', component: Runs, validateSearch: runsSearch }),
  runRoute,
  createRoute({ getParentRoute: () => root, path: '/tickets', component: Tickets, validateSearch: ticketsSearch }),
  ticketRoute,
  createRoute({ getParentRoute: () => root, path: '/agents', component: Agents, validateSearch: agentsSearch }),
  agentRoute,
  createRoute({ getParentRoute: () => root, path: '/checks', component: Checks }),
  createRoute({ getParentRoute: () => root, path: '/models', component: Models }),
  createRoute({ getParentRoute: () => root, path: '/verify', component: Verify, validateSearch: verifySearch }),
  createRoute({ getParentRoute: () => root, path: '/access', component: Access }),
] as const
const router = createRouter({ routeTree: root.addChildren(routes), history: createHashHistory() })

declare module '@tanstack/react-router' {
  interface Register { router: typeof router }
}

/** A refusal stays one; only what says that it may go better later is asked again. */
const client = new QueryClient({ defaultOptions: { queries: { staleTime: 5_000, refetchOnWindowFocus: true, retryDelay: 500, retry: (count, error) => count < 3 && !(error instanceof Refused && error.problem.retry === 'never') } } })

const place = document.getElementById('root')
if (place !== null) createRoot(place).render(<QueryClientProvider client={client}><RouterProvider router={router} /></QueryClientProvider>)
