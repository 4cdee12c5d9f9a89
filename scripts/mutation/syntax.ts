import { join } from 'node:path'
import type { Node, SourceFile } from 'typescript/unstable/ast'
import { API, type Checker } from 'typescript/unstable/sync'

export interface ParsedFile {
  readonly file: string
  readonly text: string
  readonly source: SourceFile
  readonly checker: Checker
}

/**
 * Parses files of the project at `<root>/tsconfig.json` with the compiler itself, types included, and hands each to `read`.
 * Throws for a file that the project does not hold: a file that is silently left out would count as one without a survivor.
 */
export function parseFiles<Result>(root: string, files: readonly string[], read: (parsed: ParsedFile) => Result): Result[] {
  const api = new API({ cwd: root })
  try {
    const configuration = join(root, 'tsconfig.json')
    const project = api.updateSnapshot({ openProjects: [configuration] }).getProject(configuration)
    if (project === undefined) throw new Error(`The compiler opens no project at ${configuration}`)
    return files.map((file) => {
      const source = project.program.getSourceFile(join(root, file))
      if (source === undefined) throw new Error(`${configuration} does not include ${file}`)
      return read({ file, text: source.text, source, checker: project.checker })
    })
  } finally {
    api.close()
  }
}

/** What a function gives back, as the compiler prints its type. */
export function returnTypeOf(node: Node, checker: Checker): string {
  const signature = checker.getSignatureFromDeclaration(node)
  const type = signature === undefined ? undefined : checker.getReturnTypeOfSignature(signature)
  const NO_TRUNCATION = 1
  return type === undefined ? '' : checker.typeToString(type, undefined, NO_TRUNCATION)
}
