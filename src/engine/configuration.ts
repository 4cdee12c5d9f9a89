import * as z from 'zod'
import { Name } from '../contract/ids.ts'
import { Duration, Lifetime } from '../contract/units.ts'
import { BrowserProgram, Budget, Catalog, NetworkClasses, ProbeDefinition, ReviewerDefinition, TaskClass } from '../gates/catalog/index.ts'
import { AgentAddresses, AgentDefinitions, Place } from './agents/configuration.ts'
import { TicketSettings } from './tickets/configuration.ts'

/** When the traffic itself shows that a pair is unhealthy (WIR-30). Left out, only probes do. */
export const PassivePolicy = z
  .strictObject({
    window: z.int().min(1).max(10_000).describe('How many of the last calls are looked at.'),
    consecutiveErrors: z.int().min(1).optional().describe('So many failures in a row.'),
    errorRate: z.number().gt(0).max(1).optional().describe('So great a share of the window, as in 0.5.'),
    firstByte: Duration.optional().describe('So long until the first byte, in the median of the window.'),
  })
  .refine(({ consecutiveErrors, errorRate, firstByte }) => consecutiveErrors !== undefined || errorRate !== undefined || firstByte !== undefined, 'expected consecutiveErrors, errorRate or firstByte')
  .describe('When the calls themselves show that a model is unhealthy. It then gets no traffic until a probe has answered.')

/** How old a health probe may be and still count; older is unknown, and unknown is not healthy (MC-106). */
export const HealthPolicy = z.strictObject({
  onStart: z.boolean().describe('Probe when Portcullis starts.'),
  every: Duration.describe('How often a profile is probed.'),
  maxAge: Lifetime.describe('How old a probe may be and still count.'),
  passive: PassivePolicy.optional(),
})

const Port = z.int().min(0).max(65_535)

/** Where the spans of OpenTelemetry go. Left out, none are made. */
export const TelemetrySettings = z
  .strictObject({
    endpoint: Place.describe('Where a collector takes traces by OTLP over HTTP in JSON, as in http://127.0.0.1:4318/v1/traces.'),
    allow: AgentAddresses.optional().describe('Addresses that are not public and may be called for it, as in addresses: [127.0.0.1:4318]. Left out, none.'),
    timeout: Duration.describe('How long the collector may take for one answer.'),
  })
  .describe('Spans of runs, verdicts and calls for a collector of OpenTelemetry. They hold names, numbers and reasons, never what was said.')
export type TelemetrySettings = z.infer<typeof TelemetrySettings>

/** What `portcullis serve` needs to know; each can be given as an option instead. */
export const ServerSettings = z
  .strictObject({
    port: Port.optional().describe('Where the API listens; 0 takes any free port. Needed unless socket is given.'),
    socket: z.string().min(1).max(100).optional().describe('A Unix socket to listen on instead, relative to this file. Only its owner can open it.'),
    tls: z
      .strictObject({ certificate: z.string().min(1).max(1_000).describe('The certificate, with those between it and its root, in PEM.'), key: z.string().min(1).max(1_000).describe('Its key in PEM, in a file that only its owner may read.') })
      .optional()
      .describe('The API is served over TLS. Files relative to this one, read when the server starts.'),
    wirePort: Port.describe('Where the wire listens, on loopback; 0 takes any free port.'),
    agentWirePort: Port.optional().describe('Where the agents of this file reach their models, on loopback. Needed where there are agents; the same at every start, or agents of others cannot be taken up again.'),
    drain: Duration.describe('How long requests and runs may go on once the server was told to end.'),
    adminExpires: Lifetime.describe('How long the first token, made when there is none, is in force.'),
    host: z.string().min(1).max(255).optional().describe('Another address than 127.0.0.1. It needs allowedHosts, and tls or --beyond-loopback.'),
    allowedHosts: z.array(z.string().regex(/^[a-z0-9.\-[\]:]+$/i)).min(1).optional().describe('Host headers that are answered beside those of loopback, with their port, as in portcullis.internal:8443.'),
    telemetry: TelemetrySettings.optional(),
  })
  .describe('How portcullis serve listens.')
export type ServerSettings = z.infer<typeof ServerSettings>

/** `portcullis.yaml`: every table of it is required where something refers to it, and nothing has a default. */
export const Configuration = Catalog.extend({
  $schema: z.string().optional(),
  version: z.literal(1),
  networkClasses: NetworkClasses.optional().describe('Which network classes are external. One that is not declared counts as external, except at a loopback address.'),
  targetRepositories: z
    .array(
      z.strictObject({
        path: z.string().min(1).max(1_000).describe('Where it is, relative to this file.'),
        canary: z.literal(true).optional().describe('A small decoy that is there to be watched: each read of an entry shows. Portcullis sets its times of access back.'),
      }),
    )
    .max(50)
    .optional()
    .describe('Repositories that real work is for. A run of any stage but work may not use, read or list them, and is not accepted if one was touched meanwhile.'),
  browser: BrowserProgram.optional(),
  probes: z.record(Name, ProbeDefinition).describe('Commands that prove work, by name.'),
  reviewers: z.record(Name, ReviewerDefinition).optional().describe('Who judges work, by name: programs, and models that are asked through the wire.'),
  taskClasses: z.record(Name, TaskClass).describe('Kinds of work, and the probes that prove them.'),
  agents: AgentDefinitions.optional().describe('Long-lived agents, by name, and who each must prove to be.'),
  budget: z.strictObject({ perDay: Budget.describe('On one day of UTC.') }).optional().describe('What all runs of this file may use together. Used up, the next call is refused; none is cut.'),
  server: ServerSettings.partial().optional().describe('How portcullis serve listens. What is left out must be given as an option.'),
  tickets: TicketSettings.optional().describe('Requested pieces of work: triage, phases and limits.'),
  health: HealthPolicy.describe('How often providers are asked whether they answer.'),
})
export type Configuration = z.infer<typeof Configuration>
