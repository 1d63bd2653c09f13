import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** What `peers/flush-recorder.c` noted: one change of a file in the folder, or that it was flushed. Names have no folder. */
export type DiskNote = { wallMs: number; name: string } & (
  | { kind: "write"; offset: number; bytes: Buffer }
  | { kind: "truncate"; length: number }
  /** Of the folder itself when `name` is empty: what was renamed and deleted in it is durable. */
  | { kind: "flush" }
  | { kind: "rename"; to: string }
  | { kind: "unlink" }
  /** A file whose writes are not seen, as it was when it was flushed. */
  | { kind: "whole"; bytes: Buffer }
);

/** Files of a folder by name. */
export type DiskImage = Map<string, Buffer>;

const HEAD_BYTES = 32;
/** What a drive writes whole or not at all. */
const SECTOR_BYTES = 512;
/** Room that the gateway keeps for itself: no content, and made anew when it is missing. */
const BALLAST = "outbox.ballast";

/** Compiles the recorder. Null where there is no compiler. */
export function compileRecorder(folder: string): string | null {
  const output = join(folder, "flush-recorder.so");
  const source = join(import.meta.dir, "peers", "flush-recorder.c");
  try {
    const cc = Bun.spawnSync([
      "cc",
      "-Wall",
      "-Werror",
      "-O1",
      "-shared",
      "-fPIC",
      "-o",
      output,
      source,
      "-ldl",
    ]);
    if (cc.exitCode !== 0) throw new Error(`cc refused ${source}: ${cc.stderr.toString()}`);
    return output;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw thrown;
  }
}

/** Every whole note; the last one may be cut. */
export function readNotes(file: string, folder: string): DiskNote[] {
  const bytes = readFileSync(file);
  const notes: DiskNote[] = [];
  for (let at = 0; at + HEAD_BYTES <= bytes.length; ) {
    const [path, second, data] = [4, 8, 12].map((offset) => bytes.readUInt32LE(at + offset)) as [
      number,
      number,
      number,
    ];
    const kind = bytes[at]!;
    const offset = Number(bytes.readBigUInt64LE(at + 16));
    const wallMs = Number(bytes.readBigUInt64LE(at + 24));
    const from = at + HEAD_BYTES;
    at = from + path + second + data;
    if (at > bytes.length) break;
    const full = bytes.toString("utf8", from, from + path);
    const name = full === folder ? "" : basename(full);
    if (full !== folder && dirname(full) !== folder) continue;
    const to = basename(bytes.toString("utf8", from + path, from + path + second));
    const content = bytes.subarray(at - data, at);
    const base = { wallMs, name };
    const note: (DiskNote | null)[] = [
      null,
      { ...base, kind: "write", offset, bytes: content },
      { ...base, kind: "truncate", length: offset },
      { ...base, kind: "flush" },
      { ...base, kind: "rename", to },
      { ...base, kind: "unlink" },
      { ...base, kind: "whole", bytes: content },
    ];
    if (note[kind]) notes.push(note[kind]);
  }
  return notes;
}

/** Which of the notes before `cut` a power cut there cannot take back: a later flush covers them. */
function durableBefore(notes: readonly DiskNote[], cut: number): boolean[] {
  const durable = new Array<boolean>(cut).fill(false);
  const flushed = new Set<string>();
  for (let i = cut - 1; i >= 0; i--) {
    const note = notes[i]!;
    const isOfFolder = note.kind === "rename" || note.kind === "unlink";
    if (note.kind === "flush") flushed.add(note.name);
    durable[i] = note.kind === "whole" || note.kind === "flush" || flushed.has(isOfFolder ? "" : note.name);
    // Before it, the new name was another file, and this one had the old name.
    if (note.kind === "rename" && flushed.delete(note.to)) flushed.add(note.name);
  }
  return durable;
}

/**
 * The folder after a power cut behind the first `cut` notes: all that was flushed, and of what was written since a random
 * part in any order, a third of the writes torn between sectors.
 */
export function imageAfterCut(
  base: DiskImage,
  notes: readonly DiskNote[],
  cut: number,
  random: () => number,
): DiskImage {
  const image: DiskImage = new Map([...base].map(([name, bytes]) => [name, Buffer.from(bytes)]));
  const durable = durableBefore(notes, cut);
  for (let i = 0; i < cut; i++) {
    const note = notes[i]!;
    const draw = durable[i] ? 0 : random();
    if (draw < 1 / 3) apply(image, note, () => true);
    else if (draw < 2 / 3 && note.kind === "write") apply(image, note, () => random() < 0.5);
  }
  return image;
}

/** @param isWritten Asked for each sector of a write. */
function apply(image: DiskImage, note: DiskNote, isWritten: () => boolean): void {
  const { name } = note;
  switch (note.kind) {
    case "write": {
      const { offset, bytes } = note;
      const file = resized(image.get(name), Math.max(image.get(name)?.length ?? 0, offset + bytes.length));
      for (let at = 0; at < bytes.length; at += SECTOR_BYTES)
        if (isWritten()) bytes.copy(file, offset + at, at, Math.min(at + SECTOR_BYTES, bytes.length));
      image.set(name, file);
      return;
    }
    case "truncate":
      image.set(name, resized(image.get(name), note.length));
      return;
    case "whole":
      image.set(name, Buffer.from(note.bytes));
      return;
    case "rename": {
      const file = image.get(name);
      image.delete(name);
      if (file) image.set(note.to, file);
      return;
    }
    case "unlink":
      image.delete(name);
      return;
    case "flush":
      return;
  }
}

function resized(file: Buffer | undefined, length: number): Buffer {
  if (file?.length === length) return file;
  const next = Buffer.alloc(length);
  file?.copy(next, 0, 0, Math.min(length, file.length));
  return next;
}

export function readImage(folder: string): DiskImage {
  const names = readdirSync(folder).filter(
    (name) => name !== BALLAST && statSync(join(folder, name)).isFile(),
  );
  return new Map(names.map((name) => [name, readFileSync(join(folder, name))]));
}

export function writeImage(image: DiskImage, folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const [name, bytes] of image)
    if (name !== BALLAST) writeFileSync(join(folder, name), bytes, { mode: 0o600 });
}
