import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  compileRecorder,
  type DiskImage,
  type DiskNote,
  imageAfterCut,
  readImage,
  readNotes,
} from "./flush-record.ts";

const at = { wallMs: 0 };
const write = (name: string, offset: number, text: string): DiskNote => ({
  ...at,
  kind: "write",
  name,
  offset,
  bytes: Buffer.from(text),
});
const flush = (name: string): DiskNote => ({ ...at, kind: "flush", name });
const textOf = (image: DiskImage, name: string) => image.get(name)?.toString();

/** Draws that drop all that may be dropped. */
const drop = () => 0.99;

test("what was flushed stays, what was not may go, file by file", () => {
  const notes = [write("a", 0, "one"), flush("b"), flush("a"), write("a", 3, "two"), write("b", 0, "lost")];
  const image = imageAfterCut(new Map(), notes, notes.length, drop);
  expect(textOf(image, "a")).toBe("one");
  expect(image.has("b")).toBe(false);
  expect(textOf(imageAfterCut(new Map(), notes, 2, drop), "a")).toBeUndefined();
  expect(
    textOf(
      imageAfterCut(new Map(), notes, notes.length, () => 0),
      "a",
    ),
  ).toBe("onetwo");
});

test("a rename counts when its folder is flushed, and carries what was flushed before it", () => {
  const rename: DiskNote = { ...at, kind: "rename", name: "new", to: "old" };
  const whole: DiskNote = { ...at, kind: "whole", name: "new", bytes: Buffer.from("2") };
  const base: DiskImage = new Map([["old", Buffer.from("1")]]);
  expect(textOf(imageAfterCut(base, [whole, rename], 2, drop), "old")).toBe("1");
  expect(textOf(imageAfterCut(base, [whole, rename, flush("")], 3, drop), "old")).toBe("2");
});

test("a torn write keeps some sectors", () => {
  const draws = [0.5, 0.9, 0.1, 0.9];
  const bytes = Buffer.alloc(1_200, "x");
  const note: DiskNote = { ...at, kind: "write", name: "a", offset: 0, bytes };
  const image = imageAfterCut(new Map(), [note], 1, () => draws.shift() ?? 0.9);
  expect([...image.get("a")!].map((byte) => byte === 120)).toEqual(
    Array.from({ length: 1_200 }, (_, i) => i >= 512 && i < 1_024),
  );
});

test("SQLite under the recorder: the notes give the files as they are", async () => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-record-"));
  const scratch = mkdtempSync(join(tmpdir(), "millrace-record-"));
  try {
    const recorder = compileRecorder(scratch);
    if (recorder === null) return;
    const program = `const db = new (require("bun:sqlite").Database)("${folder}/outbox.db");
      for (const sql of ["PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "CREATE TABLE t (a)", "INSERT INTO t VALUES (1)"]) db.run(sql);
      process.kill(process.pid, "SIGKILL");`;
    const record = join(scratch, "record");
    const env = { ...process.env, LD_PRELOAD: recorder, FAULT_FOLDER: folder, FAULT_RECORD: record };
    Bun.spawnSync([process.execPath, "-e", program], { env });
    const notes = readNotes(record, folder);
    expect(notes.some(({ kind }) => kind === "flush")).toBe(true);
    const rebuilt = imageAfterCut(new Map(), notes, notes.length, drop);
    const found = readImage(folder);
    expect([...found.keys()].sort()).toContain("outbox.db-wal");
    for (const [name, bytes] of found)
      if (bytes.length > 0 && !name.endsWith("-shm")) expect(rebuilt.get(name)?.equals(bytes)).toBe(true);
  } finally {
    for (const each of [folder, scratch]) rmSync(each, { recursive: true, force: true });
  }
});
