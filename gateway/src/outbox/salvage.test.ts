import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SealTime } from "./draft.ts";
import { FolderDisk } from "./folder-disk.ts";
import type { FrameStore } from "./frame-store.ts";
import { PAGE_BYTES } from "./schema.ts";
import { SqliteStore } from "./sqlite-store.ts";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const at = (wallMs: number): SealTime => ({ bootNo: 1, monoMs: wallMs, wallMs, clockQuality: "ntp" });
const QUOTA = 64 * 1024 * 1024;
const H = { lane: "H", seg: 1 } as const;
const FRAMES = 400;

/** 400 frames of 2 kB; the first hundred acknowledged. */
function filled(): { folder: string; disk: FolderDisk; store: FrameStore } {
  const folder = mkdtempSync(join(tmpdir(), "millrace-salvage-"));
  folders.push(folder);
  const disk = new FolderDisk(folder);
  const store = disk.open(QUOTA, 3);
  for (let i = 0; i < FRAMES; i++) {
    const body = new Uint8Array(2_000).fill(i % 251);
    store.append(
      H,
      [{ kind: "data", body, n: 10, tMinMs: i * 1_000, tMaxMs: i * 1_000 + 999 }],
      at(i * 1_000),
    );
  }
  store.acknowledge(H, 100);
  store.flushMarks();
  return { folder, disk, store };
}

function lookAt(store: FrameStore) {
  const heads = store.heads(H, 0, 10_000);
  let due = store.stream(H).acked + 1;
  for (const head of heads) {
    expect(head.first).toBe(due);
    due = head.last + 1;
  }
  expect(due).toBe(store.stream(H).next);
  const sound = store.read(H, 0, 1e9).every((row) => row.damaged === null);
  return { heads, sound, data: heads.filter(({ kind }) => kind === "data").length };
}

test("pages overwritten: every frame on a sound page is saved, each other number is a gap", () => {
  const { folder, disk, store } = filled();
  store.close();
  const path = join(folder, "outbox.db");
  const bytes = readFileSync(path);
  for (let page = 60; page < 160; page += 20) bytes.fill(0xa5, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
  writeFileSync(path, bytes);
  expect(() => disk.open(QUOTA, 3)).toThrow(expect.objectContaining({ code: "outbox.corrupt" }));
  const salvage = disk.salvage(disk.setAside(1_000), QUOTA, at(500_000))!;
  const again = disk.open(QUOTA, 99);
  const { sound, data } = lookAt(again);
  expect(again.epoch).toBe(3);
  expect(again.stream(H)).toMatchObject({ next: FRAMES + 1, acked: 100 });
  expect(sound).toBe(true);
  expect(salvage.framesSaved).toBe(data);
  expect(salvage.framesSaved + salvage.framesLost).toBe(FRAMES - 100);
  // Five pages hold ten frames at the most, and a page of the tree may hide its neighbours.
  expect(data).toBeGreaterThan(200);
  again.close();
});

test("a log that was cut: what reached the file is there, numbers included", () => {
  const { folder, store } = filled();
  const [db, wal] = ["outbox.db", "outbox.db-wal"].map((name) => join(folder, name)) as [string, string];
  const copy = mkdtempSync(join(tmpdir(), "millrace-cut-"));
  folders.push(copy);
  writeFileSync(join(copy, "outbox.db"), readFileSync(db));
  const log = readFileSync(wal);
  writeFileSync(join(copy, "outbox.db-wal"), log);
  (store as SqliteStore).abandon();
  truncateSync(join(copy, "outbox.db-wal"), Math.floor(log.length / 2) + 17);
  const again = SqliteStore.open(join(copy, "outbox.db"), QUOTA, 3);
  const { heads, sound } = lookAt(again);
  expect(sound).toBe(true);
  expect(heads.length).toBeGreaterThan(0);
  expect(heads.length).toBeLessThan(FRAMES);
  again.close();
});

test("nothing readable is said to be nothing", () => {
  const { folder, disk, store } = filled();
  store.close();
  writeFileSync(join(folder, "outbox.db"), new Uint8Array(100_000).fill(7));
  expect(disk.salvage(disk.setAside(1_000), QUOTA, at(0))).toBeNull();
  expect(disk.hasStore()).toBe(false);
});
