/**
 * A text that begins with one of these is a formula to a spreadsheet, which may send the plant's data elsewhere or start
 * a program. The apostrophe is what spreadsheets themselves write before a text that looks like a formula.
 */
const FORMULA = /^'*[=+\-@\t\r\n＝＋－＠]/;
const GUARDED = /^'+[=+\-@\t\r\n＝＋－＠]/;

/** A text as a cell that no spreadsheet takes for a formula; `unguard` gives it back exactly. */
export const guard = (text: string): string => (FORMULA.test(text) ? `'${text}` : text);

/** The text that `guard` was given. Texts that need no guard are left alone. */
export const unguard = (cell: string): string => (GUARDED.test(cell) ? cell.slice(1) : cell);
