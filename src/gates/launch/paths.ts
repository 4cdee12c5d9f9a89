import { isAbsolute, normalize, relative, sep } from 'node:path'

/** True if `path` lies below `directory`, after `..` and `.` are worked out. A relative path lies nowhere; a directory is not inside itself. */
export function liesInside(directory: string, path: string): boolean {
  if (!isAbsolute(directory) || !isAbsolute(path)) return false
  const way = relative(normalize(directory), normalize(path))
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}

/** True if one of the two contains the other, or both are the same directory. */
export function overlap(one: string, other: string): boolean {
  return normalize(`${one}/`) === normalize(`${other}/`) || liesInside(one, other) || liesInside(other, one)
}
