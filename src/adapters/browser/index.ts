import type { Rendered, RenderRequest } from './render-page.ts'

export { type BrowserPlace, findBrowser } from './find-browser.ts'
export type { Rendered, RenderRequest } from './render-page.ts'

/** Renders one page. The driver of the browser is loaded now and not before: nothing else of Portcullis needs it. */
export const renderPage = async (request: RenderRequest): Promise<Rendered> => (await import('./render-page.ts')).renderPage(request)
