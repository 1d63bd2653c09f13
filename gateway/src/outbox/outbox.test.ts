import { afterEach, expect, test } from "bun:test";
import { mkdtemp, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeBlock } from "@millrace/contract/block/decode";
import { systemClock } from "@millrace/contract/std/clock";
import { type FrameView, splitEnvelope } from "@millrace/contract/wire/frame";
import { decodeGap } from "@millrace/contract/wire/gap";
import type { OutboxReport } from "./message.ts";
import { type Outbox, type OutboxInput, openOutbox } from "./outbox.ts";
import { zstd } from "./zstd.ts";

const KEY = { lane: "H", seg: 1 } as const;
const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function folderOfOwn(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-outbox-"));
  folders.push(folder);
  return folder;
}

const reports: OutboxReport[] = [];
const open = (folder: string, more: Partial<OutboxInput> = {}): Promise<Outbox> => {
  let epoch = more.epoch ?? 1;
  return openOutbox({
    folder,
    epoch,
    renewEpoch: async () => ++epoch,
    bootNo: 1,
    clock: systemClock,
    sealMs: 60_000,
    onReport: (report) => reports.push(report),
    onCrash: (error) => {
      throw error;
    },
    ...more,
  });
};

async function readAll(outbox: Outbox, after = 0): Promise<FrameView[]> {
  const frames: FrameView[] = [];
  for (let seq = after; ; ) {
    const { last, bytes } = await outbox.frames(KEY, seq, 256 * 1024);
    if (bytes === null) return frames;
    frames.push(...splitEnvelope(bytes));
    seq = last;
  }
}

function countersOf(frames: readonly FrameView[]): number[] {
  return frames.flatMap(({ header, body }) =>
    header.kind === "data" ? decodeBlock(body, zstd).flatMap((series) => [...series.values] as number[]) : [],
  );
}

const push = (outbox: Outbox, from: number, count: number, tagNo = 7): void => {
  for (let i = from; i < from + count; i++) outbox.sink.push(tagNo, "double", i, 0, 1_000 + i);
};

test("every kind comes back exactly, in order, null with its quality", async () => {
  const outbox = await open(await folderOfOwn());
  const { sink } = outbox;
  sink.push(5, "text", "grün", 0, 10);
  sink.push(4, "boolean", true, 0, 11);
  sink.push(3, "uint64", 18_446_744_073_709_551_615n, 0, 12);
  sink.push(2, "int64", -9_223_372_036_854_775_808n, 0, 13);
  sink.push(1, "double", -0, 0, 14);
  sink.push(1, "double", null, 129, 15);
  sink.push(1, "double", Number.NaN, 0, 16);
  sink.push(4, "boolean", false, 64, 17);
  sink.push(6, "text", "\ud800", 0, 18);
  await outbox.flush();
  const [frame] = await readAll(outbox);
  const series = decodeBlock(frame!.body, zstd);
  expect(series.map((one) => one.tagNo)).toEqual([1, 2, 3, 4, 5, 6]);
  expect([...series[0]!.values].filter((_, at) => series[0]!.nulls?.[at] !== 1)).toEqual([-0, Number.NaN]);
  expect([...series[0]!.quality]).toEqual([0, 129, 0]);
  expect(series[1]!.values[0]).toBe(-9_223_372_036_854_775_808n);
  expect(series[2]!.values[0]).toBe(18_446_744_073_709_551_615n);
  expect([...series[3]!.values]).toEqual([1, 0]);
  expect(series[4]!.values[0]).toBe("grün");
  expect([...series[5]!.quality]).toEqual([135]);
  await outbox.close();
});

test("a tag that changes its kind goes on in the next frame", async () => {
  const outbox = await open(await folderOfOwn());
  outbox.sink.push(1, "double", 1, 0, 1);
  outbox.sink.push(1, "int64", 2n, 0, 2);
  await outbox.flush();
  const frames = await readAll(outbox);
  expect(frames.map((frame) => decodeBlock(frame.body, zstd)[0]!.kind)).toEqual(["double", "int64"]);
  await outbox.close();
});

test("numbers go on after the outbox drained empty and was opened again", async () => {
  const folder = await folderOfOwn();
  const first = await open(folder, { ackedKeepMs: -1_000 });
  push(first, 0, 100);
  await first.flush();
  const before = await readAll(first);
  await first.acknowledge(KEY, before.at(-1)!.header.last);
  await first.flush();
  await first.close();
  const second = await open(folder);
  const [, h] = await second.streams();
  expect(h).toEqual({
    ...KEY,
    low: before.length + 1,
    next: before.length + 1,
    acked: before.length,
    sent: before.length,
    backlog: false,
  });
  push(second, 100, 1);
  await second.flush();
  expect((await readAll(second, before.length))[0]!.header.first).toBe(before.length + 1);
  await second.close();
});

test("a retry gives the same bytes, however the frames are grouped", async () => {
  const outbox = await open(await folderOfOwn());
  for (let round = 0; round < 4; round++) {
    push(outbox, round * 100, 100);
    await outbox.flush();
  }
  const whole = (await outbox.frames(KEY, 0, 256 * 1024)).bytes!;
  const pieces: Uint8Array[] = [];
  for (let seq = 0; seq < 4; seq++) pieces.push((await outbox.frames(KEY, seq, 1)).bytes!);
  expect(Buffer.concat(pieces).equals(whole)).toBe(true);
  await outbox.close();
});

for (const damage of ["garbage", "empty", "missing"] as const) {
  test(`a database that is ${damage} is set aside or given up, and a new epoch begins`, async () => {
    const folder = await folderOfOwn();
    const first = await open(folder);
    push(first, 0, 100);
    await first.close();
    const path = join(folder, "outbox.db");
    if (damage === "garbage") await writeFile(path, new Uint8Array(50_000).fill(7));
    if (damage === "empty") await truncate(path, 0);
    if (damage === "missing") await rm(path);
    const second = await open(folder);
    expect(second.epoch).toBe(2);
    push(second, 0, 10);
    await second.flush();
    const frames = await readAll(second);
    expect(frames[0]!.header.first).toBe(1);
    expect(countersOf(frames)).toHaveLength(10);
    expect((await readdir(folder)).some((name) => name.includes(".aside-"))).toBe(damage === "garbage");
    await second.close();
  });
}

test("one flipped bit costs that frame, and a gap says so", async () => {
  const folder = await folderOfOwn();
  const first = await open(folder);
  for (let round = 0; round < 3; round++) {
    push(first, round * 100, 100);
    await first.flush();
  }
  await first.close();
  const { Database } = await import("bun:sqlite");
  const db = new Database(join(folder, "outbox.db"));
  const { body } = db.query("SELECT body FROM frame WHERE first = 2").get() as { body: Uint8Array };
  body[body.length - 3]! ^= 4;
  db.query("UPDATE frame SET body = ? WHERE first = 2").run(body);
  db.close();
  const second = await open(folder);
  const frames = await readAll(second);
  expect(frames.map((frame) => frame.header.kind)).toEqual(["data", "gap", "data"]);
  expect(decodeGap(frames[1]!.body)).toEqual({
    cause: "quarantine",
    samples: 100,
    tMinMs: 1_100,
    tMaxMs: 1_199,
  });
  expect((await second.stats()).samplesLost).toBe(100);
  await second.close();
});

test("a full quota drops the oldest never-sent frames and the gap covers exactly them", async () => {
  const outbox = await open(await folderOfOwn(), { bytesQuota: 2 * 1024 * 1024, mode: "drop-oldest" });
  let state = 1;
  let counter = 0;
  for (let round = 0; round < 60; round++) {
    for (let i = 0; i < 8_000; i++) {
      // Noise does not compress, so the quota fills quickly.
      state = (state * 48_271) % 2_147_483_647;
      outbox.sink.push(1 + (i % 5), "double", state / 7, 0, 1_000 + counter++);
    }
    await outbox.flush();
  }
  const stats = await outbox.stats();
  expect(stats.bytesUsed).toBeLessThanOrEqual(stats.bytesQuota);
  expect(stats.samplesLost).toBeGreaterThan(0);
  const frames = await readAll(outbox);
  let next = 1;
  let samples = 0;
  for (const { header, body } of frames) {
    expect(header.first).toBe(next);
    next = header.last + 1;
    samples += header.sampleCount;
    if (header.kind === "gap") expect(decodeGap(body)).toMatchObject({ cause: "overflow", tMinMs: 1_000 });
  }
  expect(samples).toBe(counter);
  expect(frames.filter((frame) => frame.header.kind === "gap")).toHaveLength(1);
  await outbox.close();
});

test("frames that may be on their way are never dropped", async () => {
  const outbox = await open(await folderOfOwn(), { bytesQuota: 2 * 1024 * 1024, mode: "drop-oldest" });
  push(outbox, 0, 100);
  await outbox.flush();
  const sent = (await outbox.frames(KEY, 0, 1)).bytes!;
  let state = 1;
  for (let round = 0; round < 60; round++) {
    for (let i = 0; i < 8_000; i++) {
      state = (state * 48_271) % 2_147_483_647;
      outbox.sink.push(2, "double", state / 7, 0, 1_000 + i);
    }
    await outbox.flush();
  }
  expect(Buffer.from((await outbox.frames(KEY, 0, 1)).bytes!).equals(sent)).toBe(true);
  expect((await outbox.stats()).samplesLost).toBeGreaterThan(0);
  await outbox.close();
});

test("a restored hub gets what is kept again, and a gap for what is not", async () => {
  const outbox = await open(await folderOfOwn(), { ackedKeepMs: -1_000 });
  for (let round = 0; round < 3; round++) {
    push(outbox, round, 1);
    await outbox.flush();
  }
  await readAll(outbox);
  await outbox.acknowledge(KEY, 2);
  await outbox.flush();
  await outbox.welcomed(KEY, 0);
  const frames = await readAll(outbox);
  expect(frames.map(({ header }) => [header.kind, header.first, header.last])).toEqual([
    ["gap", 1, 2],
    ["data", 3, 3],
  ]);
  expect(decodeGap(frames[0]!.body).cause).toBe("hubRestore");
  await outbox.close();
});

test("killed at random moments, what was sealed is there once, in order, without holes", async () => {
  const folder = await folderOfOwn();
  let next = 0;
  let seed = 20_261_123;
  for (let round = 0; round < 20; round++) {
    const child = Bun.spawn(
      ["bun", join(import.meta.dir, "../../test/outbox-writer.ts"), folder, String(next)],
      {
        stdout: "pipe",
        stderr: "pipe",
      },
    );
    seed = (seed * 48_271) % 2_147_483_647;
    let told = next - 1;
    let text = "";
    let killed = false;
    for await (const chunk of child.stdout) {
      text += new TextDecoder().decode(chunk);
      if (!killed && text.includes("open")) {
        killed = true;
        systemClock.after(seed % 120, () => child.kill("SIGKILL"));
      }
    }
    await child.exited;
    for (const line of text.split("\n").slice(0, -1)) if (line !== "open") told = Number(line);
    const outbox = await open(folder);
    expect(outbox.epoch).toBe(1);
    const frames = await readAll(outbox);
    expect(frames.map((frame) => frame.header.first)).toEqual(frames.map((_, at) => at + 1));
    const counters = countersOf(frames);
    expect(counters.every((value, at) => value === at)).toBe(true);
    expect(counters.length - 1).toBeGreaterThanOrEqual(told);
    next = counters.length;
    await outbox.close();
  }
  expect(next).toBeGreaterThan(0);
}, 120_000);

test("a receipt goes to disk with the samples pushed before it, and is found again after a restart", async () => {
  const folder = await folderOfOwn();
  const first = await open(folder);
  push(first, 1, 3);
  const kept = first.keep({ id: "press/1", answer: "stored", atMs: 1 });
  push(first, 4, 1);
  const both = [kept, first.keep(null)];
  expect(await Promise.all(both)).toEqual([true, true]);
  expect(countersOf(await readAll(first))).toEqual([1, 2, 3, 4]);
  expect(await first.receipt("press/1")).toBe("stored");
  // The first answer stands.
  await first.keep({ id: "press/1", answer: "another", atMs: 2 });
  await first.close();
  const second = await open(folder);
  expect(await second.receipt("press/1")).toBe("stored");
  expect(await second.receipt("press/2")).toBeNull();
  await second.close();
});
