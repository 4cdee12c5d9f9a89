import { readFileSync } from 'node:fs'
import { registerHooks, type ResolveHookSync, stripTypeScriptTypes } from 'node:module'
import { join, relative, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** Which modules of the project are loaded anew, and the one whose text is another. */
export interface Generation {
  readonly number: number
  readonly affected: ReadonlySet<string>
  readonly replaced: { readonly file: string; readonly text: string } | undefined
}

const QUERY = 'mutation'

/**
 * Makes modules of `root` load once for each generation, with the mutated text in place of the file: nothing is ever written to the
 * source. `node:test` gives way to the stand-in.
 */
export function loadGenerations(root: string, standIn: string, generation: () => Generation): void {
  const stripped = new Map<string, string>()
  // Looking up where a name leads costs more than the module; it leads to the same place for every mutant.
  const leads = new Map<string, ReturnType<ResolveHookSync>>()
  const pathOf = (url: string): string | undefined => {
    if (!url.startsWith('file:')) return undefined
    const path = relative(root, fileURLToPath(url)).split(sep).join('/')
    return path.startsWith('..') || path.includes('node_modules/') || !path.endsWith('.ts') ? undefined : path
  }
  registerHooks({
    resolve(specifier, context, next) {
      const fromProject = context.parentURL !== undefined && pathOf(context.parentURL) !== undefined
      if (specifier === 'node:test' && fromProject) return { url: standIn, format: 'module', shortCircuit: true }
      const asked = `${(context.parentURL ?? '').split('?')[0] ?? ''} ${specifier}`
      const resolved = leads.get(asked) ?? { ...next(specifier, context), shortCircuit: true }
      leads.set(asked, resolved)
      const path = pathOf(resolved.url)
      const { number, affected } = generation()
      return path === undefined || !affected.has(path) ? resolved : { ...resolved, url: `${resolved.url.split('?')[0] ?? ''}?${QUERY}=${number}` }
    },
    load(url, context, next) {
      const path = url.includes(`?${QUERY}=`) ? pathOf(url) : undefined
      if (path === undefined) return next(url, context)
      const { replaced } = generation()
      if (replaced?.file === path) return { format: 'module', shortCircuit: true, source: stripTypeScriptTypes(replaced.text) }
      const source = stripped.get(path) ?? stripTypeScriptTypes(readFileSync(join(root, path), 'utf8'))
      stripped.set(path, source)
      return { format: 'module', shortCircuit: true, source }
    },
  })
}

/** The address under which a file of a generation is loaded. */
export const urlOf = (root: string, file: string, number: number): string => `${pathToFileURL(join(root, file)).href}?${QUERY}=${number}`
