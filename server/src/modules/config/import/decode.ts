import { isUtf8 } from "node:buffer";
import { AppError } from "@millrace/contract/error/app-error";

const refuse = (what: string): never => {
  throw new AppError(
    "request.malformed",
    `${what} Save the file as UTF-8, e.g. "CSV UTF-8" in a spreadsheet.`,
  );
};

const NEWLINE = 0x0a;

/** The first line that is no UTF-8, counted from 1. */
function firstOddLine(bytes: Uint8Array): number {
  let line = 1;
  for (let from = 0; from < bytes.length; line += 1) {
    const end = bytes.indexOf(NEWLINE, from);
    const to = end < 0 ? bytes.length : end;
    if (!isUtf8(bytes.subarray(from, to))) return line;
    from = to + 1;
  }
  return line;
}

/**
 * Bytes of a file → text, without the byte order mark.
 * @throws AppError `request.malformed` naming the encoding that was found, or the first line that is no UTF-8
 */
export function decodeText(bytes: Uint8Array): string {
  const [a, b] = bytes;
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff))
    return refuse('The file is UTF-16 (spreadsheets call it "Unicode text").');
  if (!isUtf8(bytes))
    return refuse(`The file is not UTF-8: line ${firstOddLine(bytes)} has other characters (Windows-1252?).`);
  const text = new TextDecoder("utf-8").decode(bytes);
  if (text.includes("\0")) return refuse("The file holds NUL characters: it is no text, or UTF-16.");
  return text;
}
