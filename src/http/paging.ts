import * as z from 'zod'

export const MOST_ROWS = 500
const USUAL_ROWS = 100

export const Cursor = z.string().regex(/^\d{1,15}$/, 'expected the `next` of a page').describe('The `next` of the page before.')
export const Limit = z.string().regex(/^\d{1,3}$/).refine((text) => Number(text) >= 1 && Number(text) <= MOST_ROWS, `expected 1 to ${MOST_ROWS}`).describe(`How many rows at most, 1 to ${MOST_ROWS}; ${USUAL_ROWS} if left out.`)

export const pageSize = (limit: string | undefined): number => (limit === undefined ? USUAL_ROWS : Number(limit))
