export { readNotes, writeNote } from './git-note.ts'
export { postNote } from './webhook.ts'
