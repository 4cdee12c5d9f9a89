import { join, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { sha256 } from '../../contract/canonical.ts'
import { milliseconds, printMilliseconds } from '../../contract/units.ts'
import { type Approvals, type ApprovedRender, endedCleanly, type RenderHashPayload, withinLimits } from '../../gates/acceptance/index.ts'
import { type BrowserProgram, definitionDigest, type ProbeDefinition, type RenderHashProbe } from '../../gates/catalog/index.ts'
import { type BrowserPlace, findBrowser, type Rendered, renderPage } from '../browser/index.ts'
import { ProcessError } from '../process/index.ts'
import { endOfService } from './api-smoke.ts'
import { environmentOf } from './environment.ts'
import type { ProbeFinding, ProbeKindRunner, ProbePlace } from './kind.ts'
import { type Limit, startLimit } from './limit.ts'
import { startService, type StartedService } from './service.ts'

export interface RenderOptions {
  readonly browser: BrowserProgram | undefined
  readonly approvals: Approvals
}

type Rendering = { readonly rendered: Rendered | undefined; readonly service: StoppedService | undefined }
interface StoppedService extends Awaited<ReturnType<StartedService['stop']>> {
  readonly readiness: StartedService['readiness']
}

/** A page that must look as a person has approved (ACC-51). */
export const renderHash = ({ browser, approvals }: RenderOptions): ProbeKindRunner => ({
  async run(definition, place) {
    const probe = renderHashOf(definition)
    const found = findBrowser(browser, place.environment['PATH'] ?? '')
    if (found === undefined) {
      const summary = browser === undefined ? 'found no Chromium along PATH: install one (Debian, Ubuntu: apt-get install chromium), or name one in portcullis.yaml under browser' : 'the browser that portcullis.yaml names is not there, or is no program'
      return { status: 'error', summary, payload: { ...blankPayload(probe), error: 'no browser' } }
    }
    const limit = startLimit(milliseconds(probe.timeout), place.signal)
    const startedAt = performance.now()
    try {
      const { environment, names, withheld } = environmentOf(probe.environment, place)
      const blank = { ...blankPayload(probe), environment: [...names], environment_withheld: [...withheld] }
      const rendering = await render(probe, place, found, environment, limit)
      const finding = await judge(probe, place, { blank, rendering, approvals, sandboxed: found.sandboxed, limit })
      return finding.status === 'passed' ? { ...finding, summary: `${finding.summary}, in ${printMilliseconds(performance.now() - startedAt)}` } : finding
    } catch (fault) {
      if (!(fault instanceof ProcessError)) throw fault
      return { status: 'error', summary: `the service could not be started: ${fault.code}`, payload: { ...blankPayload(probe), error: fault.code } }
    } finally {
      limit.close()
    }
  },
  notBegun: (definition, cause) => ({ ...blankPayload(renderHashOf(definition)), error: cause }),
})

function renderHashOf(definition: ProbeDefinition): RenderHashProbe {
  if (definition.kind !== 'render_hash') throw new TypeError(`Expected a definition of render_hash, got ${definition.kind}`)
  return definition
}

const blankPayload = ({ page, viewport, atMost }: RenderHashProbe): RenderHashPayload => ({
  error: null, browser: null, page: 'file' in page ? page.file : page.path, viewport, page_fault: null, page_errors: 0, blocked_requests: 0, image: null, approved: null, difference: null,
  at_most: { changed_share: atMost.changedPixels, distance: atMost.distance }, end: null, service: 'service' in page, stdout: null, stderr: null, environment: [], environment_withheld: [],
})

async function render(probe: RenderHashProbe, place: ProbePlace, browser: BrowserPlace, environment: Readonly<Record<string, string>>, limit: Limit): Promise<Rendering> {
  const { page, viewport, waitFor, within } = probe
  const look = async (url: string, allows: (asked: string) => boolean): Promise<Rendered> => renderPage({ browser, environment, url, allows: (asked) => /^(?:data|blob|about):/.test(asked) || allows(asked), viewport, waitFor, withinMs: milliseconds(within), signal: limit.signal })
  if ('file' in page) {
    const root = `${place.workspace}${sep}`
    return { rendered: await look(pathToFileURL(join(place.workspace, page.file)).href, (asked) => asked.startsWith('file://') && isBelow(root, asked)), service: undefined }
  }
  const service = await startService(page.service, { workspace: place.workspace, environment, keptBytes: place.withheld.keptBytes(), limit })
  const origin = `http://127.0.0.1:${service.port}`
  try {
    const rendered = service.readiness.ready ? await look(`${origin}${page.path}`, (asked) => URL.parse(asked)?.origin === origin) : undefined
    return { rendered, service: { readiness: service.readiness, ...(await service.stop()) } }
  } catch (error) {
    // Whatever the browser did, the service does not outlive its probe.
    await service.stop()
    throw error
  }
}

function isBelow(root: string, url: string): boolean {
  try {
    return fileURLToPath(url).startsWith(root)
  } catch {
    return false
  }
}

interface Facts {
  readonly blank: RenderHashPayload
  readonly rendering: Rendering
  readonly approvals: Approvals
  readonly sandboxed: boolean
  readonly limit: Limit
}

async function judge(probe: RenderHashProbe, place: ProbePlace, { blank, rendering: { rendered, service }, approvals, sandboxed, limit }: Facts): Promise<ProbeFinding> {
  const version = rendered?.version
  const payload: RenderHashPayload = {
    ...blank,
    browser: version === undefined ? null : { version: version.slice(0, 100), sandboxed },
    page_errors: rendered?.pageErrors ?? 0,
    blocked_requests: rendered?.blocked ?? 0,
    page_fault: rendered?.ok === false && rendered.at === 'page' ? place.withheld.redact(rendered.why) : null,
    ...(service === undefined ? {} : { end: { asked: service.asked, exit_code: service.exit.code, signal: service.exit.signal, leaked: service.exit.leaked }, stdout: place.withheld.preview(service.exit.stdout), stderr: place.withheld.preview(service.exit.stderr) }),
  }
  if (limit.ended() === 'cancelled') return { status: 'cancelled', summary: 'was cancelled before it ended', payload }
  if (limit.ended() === 'limit') return { status: 'timed_out', summary: `did not end within ${probe.timeout}`, payload }
  if (service?.readiness.ready === false) return { status: 'failed', summary: `the service ${place.withheld.redact(service.readiness.why)}`, payload }
  if (rendered === undefined || (!rendered.ok && rendered.at === 'browser')) {
    const why = place.withheld.redact(rendered?.ok === false ? rendered.why : 'it was not asked')
    return { status: 'error', summary: `the browser could not be started: ${why}`, payload: { ...payload, error: why.slice(0, 200) } }
  }
  if (!rendered.ok) return { status: 'failed', summary: `${payload.page} did not become ready within ${probe.within}: ${payload.page_fault ?? ''}`, payload }
  if ('service' in probe.page && !endedCleanly(payload.end)) return { status: 'failed', summary: `the page was rendered, but its service ${endOfService(probe.page.service, payload.end)}`, payload }
  return await compare(probe, place, approvals, payload, rendered.image)
}

async function compare(probe: RenderHashProbe, place: ProbePlace, approvals: Approvals, seen: RenderHashPayload, image: Buffer): Promise<ProbeFinding> {
  const { compareImages, imageFacts } = await import('./compare-images.ts')
  const { width, height, colours } = imageFacts(image)
  const file = place.keep('png', image)
  const payload: RenderHashPayload = { ...seen, image: { sha256: sha256(image), width, height, colours, file } }
  // What shows nothing could be approved by mistake, and would then prove nothing for ever.
  if (colours === 1) return { status: 'failed', summary: `${payload.page} shows nothing: every pixel has the same colour`, payload }
  const approved = await approvals.render(place.probe, definitionDigest(probe))
  if (approved === undefined) return { status: 'needs_approval', summary: askingFor(place, file), payload }
  if (approved.image === undefined) return { status: 'error', summary: `the image that ${approved.approval} approved is gone from the state directory, or is another`, payload: { ...payload, error: 'approved image lost', approved: namedOf(approved) } }
  const { changedPixels, changedShare, distance, picture } = compareImages(approved.image, image)
  const kept = changedPixels === 0 ? null : place.keep('difference.png', picture)
  const compared: RenderHashPayload = { ...payload, approved: namedOf(approved), difference: { changed_pixels: changedPixels, changed_share: changedShare, distance, file: kept } }
  const numbers = `${percent(changedShare)} of the pixels changed (at most ${percent(probe.atMost.changedPixels)}), distance ${percent(distance)} (at most ${percent(probe.atMost.distance)})`
  if (withinLimits(compared)) return { status: 'passed', summary: `looks as approved in ${approved.approval}: ${numbers}`, payload: compared }
  return { status: 'failed', summary: `does not look as approved in ${approved.approval}: ${numbers}${kept === null ? '' : `; see ${kept}`}`, payload: compared }
}

/** Only what is kept can be looked at, and only what was looked at can be approved. */
const askingFor = ({ probe, runId }: ProbePlace, file: string | null): string =>
  file === null ? 'no image is approved yet' : `no image is approved yet; look at ${file} of the run, then: npx portcullis approve render ${runId} --probe ${probe} --by <who> --reason <why>`

const namedOf = ({ sha256: digest, approval }: ApprovedRender): RenderHashPayload['approved'] => ({ sha256: digest, approval })

const percent = (share: number): string => `${Number((100 * share).toPrecision(3))} %`
