/**
 * Stands in for `node:test` inside a worker, where thousands of runs of the same tests share one process. It keeps what the test files
 * register and offers only what they use: a file that asks for more fails when the unmutated source is run, and nothing is measured.
 */
type Body = (context: unknown) => unknown

export interface Registered {
  readonly name: string
  readonly body: Body
}

let registered: Registered[] = []

/** What was registered since it was last asked. */
export function takeRegistered(): Registered[] {
  const taken = registered
  registered = []
  return taken
}

/** As `test` of node:test, without options and without a context: a test that needs either cannot be run here. */
export function test(...given: readonly unknown[]): Promise<void> {
  const [name, body] = given
  if (given.length !== 2 || typeof name !== 'string' || typeof body !== 'function') throw new TypeError('The mutation run knows only test(name, function)')
  registered.push({ name, body: (context) => Reflect.apply(body, undefined, [context]) as unknown })
  return Promise.resolve()
}
