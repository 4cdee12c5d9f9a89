import { globSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, posix } from 'node:path'
import { type ImportEdge, importsOf, lineOf, readSource } from '../scripts/source-text.ts'
import { LIFECYCLE } from '../src/contract/lifecycle.ts'

/** What each gate folder must hold, whatever else it holds. */
const GATE_FILES = ['gate.ts', 'ports.ts', 'index.ts', 'gate.test.ts']
const MAXIMUM_LINES = 400
const SURFACES = ['cli', 'http', 'mcp']
/** Which surface may start which other: by its index, and never the other way round. */
const STARTS: Readonly<Record<string, readonly string[]>> = { cli: ['http', 'mcp'], http: ['mcp'] }
/** What a gate would have to name to see the clock, the environment, the network or chance. */
const IMPURE = /(?<![.\w$])(?:Date\s*\.\s*now\b|new\s+Date\s*\(\s*\)|Math\s*\.\s*random\b|performance\s*\.|globalThis\b|fetch\s*\(|setTimeout\b|setInterval\b|process\s*\.\s*(?:env|argv|cwd|hrtime|platform|exit|stdout|stderr)\b)/g

interface SourceFile {
  /** Path under src, with forward slashes. */
  readonly path: string
  readonly code: string
  readonly lines: number
  readonly imports: readonly ImportEdge[]
}

/** Where a file lives: the layer decides what it may know, the unit which folder it may know from inside. */
interface Place {
  readonly layer: 'contract' | 'gates' | 'engine' | 'adapters' | 'version' | 'app' | 'surface' | 'library'
  readonly unit: string
}

const isTest = (path: string): boolean => path.endsWith('.test.ts')

/** Everything that is wrong with the source tree at `<root>/src`, one sentence each, sorted. Reads `dependencies` of `<root>/package.json`. */
export function architectureViolations(root: string): string[] {
  const files = readFiles(join(root, 'src'))
  const packages = dependenciesOf(root)
  const paths = new Set(files.map((file) => file.path))
  const program = files.filter((file) => !isTest(file.path))
  return [
    ...gateFolders(paths),
    ...files.flatMap(shapeViolations),
    ...program.flatMap((file) => importViolations(file, paths, packages)),
    ...program.filter((file) => placeOf(file.path)?.layer === 'gates').flatMap(impurities),
    ...importCycles(program, paths),
  ].toSorted()
}

function readFiles(source: string): SourceFile[] {
  return globSync('**/*.ts', { cwd: source }).map((path) => {
    const text = readFileSync(join(source, path), 'utf8')
    const read = readSource(text)
    return { path: path.replaceAll('\\', '/'), code: read.code, lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0), imports: importsOf(read) }
  })
}

function dependenciesOf(root: string): Set<string> {
  const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const declared = typeof manifest === 'object' && manifest !== null && 'dependencies' in manifest ? manifest.dependencies : {}
  return new Set(Object.keys(typeof declared === 'object' && declared !== null ? declared : {}))
}

function placeOf(path: string): Place | undefined {
  const [first = '', second = ''] = path.split('/')
  const inFolder = path.includes('/')
  if (path === 'version.ts') return { layer: 'version', unit: 'version.ts' }
  if (path === 'app.ts' || first === 'app') return { layer: 'app', unit: 'app' }
  if (path === 'index.ts') return { layer: 'library', unit: 'index.ts' }
  if (inFolder && (first === 'contract' || first === 'engine')) return { layer: first, unit: first }
  if (inFolder && SURFACES.includes(first)) return { layer: 'surface', unit: first }
  if ((first === 'gates' || first === 'adapters') && path.split('/').length > 2) return { layer: first, unit: `${first}/${second}` }
  return undefined
}

function gateFolders(paths: ReadonlySet<string>): string[] {
  const folders = new Set([...paths].filter((path) => path.startsWith('gates/')).map((path) => path.split('/')[1] ?? ''))
  const strange = [...folders].filter((folder) => !LIFECYCLE.some((gate) => gate === folder)).map((folder) => `gates/${folder} is not in LIFECYCLE`)
  const missing = LIFECYCLE.filter((gate) => !folders.has(gate)).map((gate) => `gates/${gate} is in LIFECYCLE and has no folder`)
  const incomplete = LIFECYCLE.filter((gate) => folders.has(gate)).flatMap((gate) =>
    GATE_FILES.filter((file) => !paths.has(`gates/${gate}/${file}`)).map((file) => `gates/${gate} has no ${file}`),
  )
  return [...strange, ...missing, ...incomplete]
}

function shapeViolations({ path, code, lines }: SourceFile): string[] {
  const found: string[] = []
  if (placeOf(path) === undefined) found.push(`${path} belongs to no layer`)
  if (lines > MAXIMUM_LINES) found.push(`${path} has ${lines} lines, more than ${MAXIMUM_LINES}`)
  if (/(?<![.\w$])export\s+default\b|(?<![.\w$])export\s*\{[^}]*\bas\s+default\b/.test(code)) found.push(`${path} has a default export`)
  return found
}

const impurities = ({ path, code }: SourceFile): string[] => [...code.matchAll(IMPURE)].map((match) => `${path}:${lineOf(code, match.index)} a gate is pure, and reads ${match[0].replace(/\s*\(\s*\)?$/, '')}`)

function importViolations(file: SourceFile, paths: ReadonlySet<string>, packages: ReadonlySet<string>): string[] {
  const from = placeOf(file.path)
  if (from === undefined) return []
  return file.imports.flatMap((edge) => {
    const at = `${file.path}:${edge.line}`
    if (edge.specifier === undefined) return [`${at} imports a computed path, which no check can follow`]
    if (!edge.specifier.startsWith('.')) return packageViolation(from, edge.specifier, packages).map((why) => `${at} ${why}`)
    const target = posix.normalize(posix.join(posix.dirname(file.path), edge.specifier))
    if (!paths.has(target)) return [`${at} imports ${target}, which is no file of src`]
    if (isTest(target)) return [`${at} imports a test`]
    const to = placeOf(target)
    return to === undefined || mayImport(from, to, target, edge.typeOnly) ? [] : [`${at} may not import ${target}`]
  })
}

function packageViolation({ layer }: Place, specifier: string, packages: ReadonlySet<string>): string[] {
  const builtin = builtinModules.includes(specifier.replace(/^node:/, '')) || specifier.startsWith('node:')
  if (builtin && !specifier.startsWith('node:')) return [`imports ${specifier} without node:`]
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  if (!builtin && !packages.has(name)) return [`imports ${name}, which is not in dependencies`]
  const allowed = layer === 'contract' ? ['zod', 'node:crypto'] : layer === 'gates' ? ['zod', 'node:buffer', 'node:crypto', 'node:path'] : undefined
  return allowed === undefined || allowed.includes(specifier) ? [] : [`imports ${specifier}; ${layer} may import ${allowed.join(', ')} only`]
}

/** contract <- earlier gates <- gates <- engine <- adapters <- app <- surfaces; another unit is entered by its index.ts. */
function mayImport(from: Place, to: Place, target: string, typeOnly: boolean): boolean {
  if (from.unit === to.unit) return true
  if (to.layer === 'contract') return true
  const byIndex = target === `${to.unit}/index.ts`
  switch (from.layer) {
    case 'contract':
    case 'version':
      return false
    case 'gates':
      return to.layer === 'gates' && byIndex && orderOf(to) < orderOf(from)
    case 'engine':
      return to.layer === 'gates' && byIndex
    case 'adapters':
      return (to.layer === 'gates' && byIndex) || to.layer === 'engine' || (to.layer === 'adapters' && (byIndex || (typeOnly && target === `${to.unit}/ports.ts`)))
    case 'app':
      return to.layer === 'version' || ((to.layer === 'gates' || to.layer === 'adapters') && byIndex) || to.layer === 'engine'
    case 'surface':
      return to.layer === 'app' || to.layer === 'version' || (to.layer === 'surface' && byIndex && (STARTS[from.unit] ?? []).includes(to.unit))
    case 'library':
      return to.layer === 'app' || to.layer === 'version' || (to.layer === 'engine' && typeOnly)
  }
}

const orderOf = ({ unit }: Place): number => LIFECYCLE.findIndex((gate) => unit === `gates/${gate}`)

/** Groups of files that import each other at run time. One sentence a group, by Tarjan's algorithm. */
function importCycles(files: readonly SourceFile[], paths: ReadonlySet<string>): string[] {
  const targets = new Map(files.map((file) => [file.path, runtimeTargets(file).filter((target) => paths.has(target))]))
  const order = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const cycles: string[] = []
  const visit = (path: string): number => {
    const index = order.size
    order.set(path, index)
    low.set(path, index)
    stack.push(path)
    for (const target of targets.get(path) ?? []) {
      if (!order.has(target)) low.set(path, Math.min(low.get(path) ?? index, visit(target)))
      else if (stack.includes(target)) low.set(path, Math.min(low.get(path) ?? index, order.get(target) ?? index))
    }
    const lowest = low.get(path) ?? index
    if (lowest === index) {
      const group = stack.splice(stack.indexOf(path))
      if (group.length > 1 || targets.get(path)?.includes(path) === true) cycles.push(`import cycle: ${group.toSorted().join(', ')}`)
    }
    return lowest
  }
  for (const { path } of files) if (!order.has(path)) visit(path)
  return cycles
}

const runtimeTargets = (file: SourceFile): string[] =>
  file.imports.flatMap((edge) => (edge.typeOnly || edge.specifier?.startsWith('.') !== true ? [] : [posix.normalize(posix.join(dirname(file.path), edge.specifier))]))
