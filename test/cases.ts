/** How many cases a property is tried with: what its test says, or as many as a campaign asks for (see test/campaign/properties.test.ts). */
export const CASES = 'PORTCULLIS_TEST_CASES'
export const casesOf = (ordinary: number): number => Math.max(ordinary, Number(process.env[CASES] ?? ordinary))
