/** Turns a title into the part of a URL that names it. */
export function slugify(title) {
  throw new Error(`slugify(${JSON.stringify(title)}) is not implemented`)
}
