import { writeFileSync } from 'node:fs'
import { basename, extname } from 'node:path'
import { PortcullisError, systemCode } from '../../contract/errors.ts'
import { knownSecretFormat } from '../../contract/secret-like.ts'
import { readRequiredText, readStrictYaml } from '../configuration/index.ts'
import { writeFragment } from './fragment.ts'
import { Draft, type Remark } from './imported.ts'
import { LiteLlmConfig, readLiteLlm } from './litellm.ts'
import { readPortkey } from './portkey.ts'

const MAX_BYTES = 1_048_576

export interface ImportedFile {
  readonly format: 'LiteLLM' | 'Portkey'
  /** A part of portcullis.yaml, with blanks that the loader refuses. */
  readonly fragment: string
  readonly blanks: number
  readonly remarks: readonly Remark[]
}

/**
 * Reads the configuration of another gateway and writes what it says as a part of portcullis.yaml. No key is ever copied.
 * Throws `import_invalid` if the file is neither of the two that are known, `file_missing` or `file_unreadable`.
 */
export function importFile(path: string): ImportedFile {
  const document = parse(readRequiredText(path, MAX_BYTES, 'the file to import'), path)
  const draft = new Draft()
  const format = formatOf(document)
  const file = basename(path)
  if (format === 'LiteLLM') {
    const config = LiteLlmConfig.safeParse(document)
    if (!config.success) throw invalid(path, `fields of another kind than LiteLLM has: ${config.error.issues.map((issue) => issue.path.map(String).join('.')).join(', ')}`, 'Correct them, or leave them out, and import again.')
    readLiteLlm(config.data, draft)
  } else if (format === 'Portkey') {
    readPortkey(document, file.slice(0, file.length - extname(file).length), draft)
  } else throw invalid(path, 'neither model_list, as in a LiteLLM config.yaml, nor targets, strategy or provider, as in a Portkey config', 'Name a file of one of the two.')
  if (draft.providers.length === 0) throw invalid(path, `nothing that can be taken over: ${draft.remarks.map(({ where, why }) => `${where}: ${why}`).join('; ')}`, 'Write the providers by hand; see examples/ of the package.')
  const { text, blanks } = writeFragment(draft, file, format)
  refuseSecrets(`${text}\n${JSON.stringify(draft.remarks)}`, draft)
  return { format, fragment: text, blanks, remarks: draft.remarks }
}

/** JSON is YAML, so one strict reader serves both; what it refuses two readers could read as two things. */
function parse(text: string, path: string): unknown {
  try {
    return readStrictYaml(text, path, 'import_invalid').value
  } catch (error) {
    if (!(error instanceof PortcullisError)) throw error
    throw new PortcullisError('import_invalid', { asked: error.asked, found: error.found, remedy: 'Correct the places named above, or write out what anchors and merges stand for, and import again.', cause: error })
  }
}

function formatOf(document: unknown): ImportedFile['format'] | undefined {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) return undefined
  const has = (...names: readonly string[]): boolean => names.some((name) => Object.hasOwn(document, name))
  const [liteLlm, portkey] = [has('model_list'), has('targets', 'strategy', 'provider', 'virtual_key', 'virtualKey')]
  return liteLlm === portkey ? undefined : liteLlm ? 'LiteLLM' : 'Portkey'
}

/** The last check, whatever the readers did: a key that stood in the source stands nowhere in the result. */
function refuseSecrets(result: string, draft: Draft): void {
  const leaked = [...draft.secrets].some((secret) => secret.length >= 8 && (result.includes(secret) || result.includes(JSON.stringify(secret).slice(1, -1))))
  const kind = knownSecretFormat(result)
  if (leaked || kind !== undefined) throw new PortcullisError('secret_withheld', { asked: 'an import without a credential in it', found: `${leaked ? 'a key of the source' : kind} in the result; nothing was printed`, remedy: 'A name or an address in the source holds a key. Take it out there, replace it, and import again.' })
}

const invalid = (path: string, found: string, remedy: string): PortcullisError => new PortcullisError('import_invalid', { asked: `the configuration of another gateway in ${path}`, found, remedy })

/** Writes a fragment where nothing stands yet. Throws `file_exists` or `file_unwritable`. */
export function writeNew(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: 'wx' })
  } catch (error) {
    const code = systemCode(error)
    const asked = `a new file ${path}`
    if (code === 'EEXIST') throw new PortcullisError('file_exists', { asked, found: 'a file is there already', remedy: 'Name another file, or move this one away; nothing is overwritten.', cause: error })
    throw new PortcullisError('file_unwritable', { asked, found: `it cannot be written (${code ?? 'unknown error'})`, remedy: 'Name a file in a directory that can be written.', cause: error })
  }
}
