/** Limits of a file of tags or devices. Each is named in the error that tells of it. */
export const CONFIG_IMPORT = {
  bytesMax: 16 * 1024 * 1024,
  rowsMax: 50_000,
  columnsMax: 200,
  /** Longest row, quotes and all. */
  rowCharactersMax: 65_536,
  /** Problems kept while a file is read, to tell those of the first rows; the rest is counted. */
  problemsHeldMax: 2_000,
  /** Notes told one by one; the rest is counted. */
  notesMax: 200,
  /** Folders within folders of an Ignition export. */
  foldersMax: 32,
} as const;

/** Longest piece of a cell that is repeated in a message. */
const SHOWN_CHARACTERS_MAX = 60;

/** A cell's content as a message repeats it. */
export function shown(text: string): string {
  if (text === "") return "nothing";
  return JSON.stringify(
    text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}…` : text,
  );
}
