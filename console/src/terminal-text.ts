// Sequences that reach beyond the screen: titles, links, the clipboard, notifications (OSC), and strings for the terminal itself (DCS, APC, PM, SOS).
// oxlint-disable-next-line no-control-regex
const STRINGS = /(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])(?:[^\u0007\u001b\u009c]|\u001b(?!\\))*(?:\u0007|\u001b\\|\u009c|$)/g
// Questions that a terminal answers, and modes that report the mouse, the focus or pasted text: there is nobody to answer.
// oxlint-disable-next-line no-control-regex
const REPORTS = /(?:\u001b\[|\u009b)(?:[>=?]?[0-9;]*[cn]|\?(?:9|100[0-6]|1015|1016|2004)[hl]|[0-9;]*t)/g

/** Bytes of a terminal with nothing left in them but text, colours and the cursor. */
export const harmlessBytes = (text: string): string => text.replace(STRINGS, '').replace(REPORTS, '')
