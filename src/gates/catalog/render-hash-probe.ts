import * as z from 'zod'
import { Duration } from '../../contract/units.ts'
import { AllowsWrites, ProbeEnvironment, ProbeService, ProbeTimeout, RequestPath } from './probe-parts.ts'

/** With more than this a comparison would let through what nobody approved. */
const MOST_TOLERATED = 0.2

const PageFile = z.string().min(1).max(500).regex(/^(?!\/)(?!.*(?:^|\/)\.\.(?:\/|$))[^\\\0]+$/, 'expected a path inside the workspace, relative to its top')

/** What is rendered: a file as it lies in the workspace, or a page of a service that is started for it. */
const RenderedPage = z
  .union([
    z.strictObject({ file: PageFile.describe('An HTML or SVG file of the workspace.') }),
    z.strictObject({ service: ProbeService, path: RequestPath.describe('The page that is asked of the service.') }),
  ])
  .describe('A file of the workspace, or a service and the path of its page. The page reaches nothing else.')

/** When the page is ready to be looked at. */
const WaitCondition = z
  .union([
    z.literal('load'),
    z.strictObject({ selector: z.string().min(1).max(500).describe('A CSS selector of an element that must be visible.') }),
    z.strictObject({ text: z.string().min(1).max(500).describe('A text that must be visible.') }),
  ])
  .describe('When the page is ready: when it has loaded, or when an element or a text is visible.')

/**
 * A page that must look as a person has approved (ACC-51). Without an approved image the probe passes nothing: it asks for
 * an approval. A changed definition needs a new one, because it renders another picture.
 */
export const RenderHashProbe = z.strictObject({
  kind: z.literal('render_hash'),
  timeout: ProbeTimeout,
  page: RenderedPage,
  viewport: z.strictObject({ width: z.int().min(16).max(3_840), height: z.int().min(16).max(2_160) }).describe('The size of the window, in CSS pixels; one of them is one pixel of the image.'),
  waitFor: WaitCondition,
  within: Duration.describe('How long the page may take until it is ready.'),
  atMost: z
    .strictObject({
      changedPixels: z.number().min(0).max(MOST_TOLERATED).describe('The share of pixels that may differ visibly, as in 0.001. Smoothed edges do not count.'),
      distance: z.number().min(0).max(MOST_TOLERATED).describe('How far the arrangement of light and dark may differ, as the share of the 256 bits of a difference hash.'),
    })
    .describe('How far the page may be from the approved image; both must hold.'),
  environment: ProbeEnvironment.optional(),
  allowsWrites: AllowsWrites.optional(),
})
export type RenderHashProbe = z.infer<typeof RenderHashProbe>

/** The browser that pages are rendered with, if it is not to be looked for. */
export const BrowserProgram = z
  .strictObject({
    program: z.string().min(1).regex(/^\//, 'expected an absolute path').describe('A Chromium or Chrome, by its absolute path.'),
    sandbox: z.boolean().describe('Whether its own sandbox is used. It cannot be used by root, nor where user namespaces are forbidden.'),
  })
  .describe('The browser that pages are rendered with. Left out, Chromium or Chrome is looked for along PATH, and sandboxed unless root runs it.')
export type BrowserProgram = z.infer<typeof BrowserProgram>
