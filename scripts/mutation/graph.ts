import { globSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { importsOf, readSource } from '../source-text.ts'
import { digestOf } from './mutant.ts'

/** Who loads whom, of the source and its tests. */
export interface Graph {
  /** Every file, sorted. */
  readonly files: readonly string[]
  readonly textOf: (file: string) => string
  /** The file and all that loading it loads. */
  readonly closureOf: (file: string) => ReadonlySet<string>
  /** The file and all whose loading loads it. */
  readonly dependentsOf: (file: string) => ReadonlySet<string>
}

export const isTest = (file: string): boolean => file.endsWith('.test.ts')

/** Reads `src` and `test` below `root`. Types leave nothing to load. */
export function readGraph(root: string): Graph {
  const files = globSync(['src/**/*.ts', 'test/**/*.ts'], { cwd: root }).map((file) => file.replaceAll('\\', '/')).toSorted()
  const texts = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]))
  const textOf = (file: string): string => {
    const text = texts.get(file)
    if (text === undefined) throw new Error(`${file} is not below ${root}`)
    return text
  }
  const loads = new Map(files.map((file) => [file, loadedBy(file, textOf(file)).filter((each) => texts.has(each))]))
  const loadedFrom = new Map(files.map((file) => [file, files.filter((each) => loads.get(each)?.includes(file))]))
  return { files, textOf, closureOf: (file) => reachable(file, loads), dependentsOf: (file) => reachable(file, loadedFrom) }
}

const loadedBy = (file: string, text: string): string[] =>
  importsOf(readSource(text)).flatMap(({ specifier, typeOnly }) => (specifier?.startsWith('.') && !typeOnly ? [posix.join(posix.dirname(file), specifier)] : []))

function reachable(from: string, edges: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const found = new Set([from])
  for (const each of found) for (const next of edges.get(each) ?? []) found.add(next)
  return found
}

/** The tests that load the file: what could notice a change of it. */
export const testsOf = (graph: Graph, file: string, tests: readonly string[]): string[] => {
  const dependents = graph.dependentsOf(file)
  return tests.filter((each) => dependents.has(each))
}

/** Names everything that the outcome of a mutant of this file can depend on: the file, the tests that load it, and all that these load. */
export function inputsOf(graph: Graph, file: string, tests: readonly string[]): string {
  const read = new Set([file])
  for (const test of testsOf(graph, file, tests)) for (const each of graph.closureOf(test)) read.add(each)
  return digestOf(...[...read].toSorted().flatMap((each) => [each, graph.textOf(each)]))
}
