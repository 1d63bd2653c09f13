/**
 * Signs that make a terminal or a viewer show something else than was written: controls (an escape moves the cursor and
 * erases), marks that turn the direction of a text, and separators some programs take for a new line.
 */
const UNSAFE = /[\p{Cc}\u200e\u200f\u061c\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/gu;

const escaped = (sign: string): string => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`;

/**
 * A record of the log, as a formatter made it, made safe to print. Of several lines all but the first are indented, so
 * that none can pass for a record of its own.
 */
export const safeLogText = (text: string): string =>
  `${text
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => line.replace(UNSAFE, (sign) => (sign === "\t" ? sign : escaped(sign))))
    .join("\n    ")}\n`;
