import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { ByteReader } from "../src/block/bytes.ts";
import { type Compression, noCompression } from "../src/block/compression.ts";
import { decodeBlock } from "../src/block/decode.ts";
import { encodeBlock } from "../src/block/encode.ts";
import { BLOCK_HEADER_BYTES, BLOCK_MAGIC, CODE, PARAM, SECTIONS, TIMES } from "../src/block/layout.ts";
import { openBlock } from "../src/block/open.ts";
import type { Series } from "../src/block/series.ts";
import { DownlinkMessage } from "../src/wire/downlink.ts";
import { decodeEvents, encodeEvents } from "../src/wire/event.ts";
import { DATA_FRAME, readFrame, sealFrame } from "../src/wire/frame.ts";
import { decodeGap, encodeGap } from "../src/wire/gap.ts";
import { LiveClientMessage, LiveServerMessage } from "../src/wire/live.ts";
import { decodeRollup, encodeRollup } from "../src/wire/rollup.ts";
import { UplinkMessage } from "../src/wire/uplink.ts";
import { EXAMPLE_BLOCKS, EXAMPLE_BLOCKS_2 } from "./example-blocks.ts";
import { EXAMPLE_EVENT, EXAMPLE_ROLLUP } from "./example-frames.ts";
import { DOWNLINK, LIVE_CLIENT, LIVE_SERVER, UPLINK } from "./example-messages.ts";
import { seriesToJson } from "./series-json.ts";
import { zstd } from "./zstd.ts";

/**
 * Bytes and messages of every version ever released must keep their meaning. `MILLRACE_GOLDEN=write bun test
 * contract/test/golden.test.ts` writes files that are missing and never touches one that exists: a changed format
 * needs a new version folder, not new files here.
 */
const GOLDEN = join(import.meta.dir, "../golden");
const mayWrite = process.env.MILLRACE_GOLDEN === "write";

function writeWhenMissing(path: string, content: Uint8Array | string): void {
  const file = join(GOLDEN, path);
  if (!mayWrite || existsSync(file)) return;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 1)}\n`;
const bytesOf = (path: string): Uint8Array => new Uint8Array(readFileSync(join(GOLDEN, path)));
const jsonOf = (path: string): unknown => JSON.parse(readFileSync(join(GOLDEN, path), "utf8"));
const namesIn = (folder: string, suffix: string): string[] =>
  readdirSync(join(GOLDEN, folder))
    .filter((name) => name.endsWith(suffix))
    .map((name) => name.slice(0, -suffix.length));

const compressions: Record<string, Compression> = { none: noCompression, zstd };
for (const [name, make] of Object.entries(EXAMPLE_BLOCKS))
  for (const [suffix, compression] of Object.entries(compressions)) {
    writeWhenMissing(`block/v1/${name}.${suffix}.bin`, encodeBlock(make(), compression));
    writeWhenMissing(`block/v1/${name}.${suffix}.json`, json(make().map(seriesToJson)));
  }
for (const [name, make] of Object.entries(EXAMPLE_BLOCKS_2)) {
  for (const [suffix, compression] of Object.entries(compressions))
    writeWhenMissing(`block/v2/${name}.${suffix}.bin`, encodeBlock(make(), compression, { version: 2 }));
  // One text for both compressions; a long chunk's is a digest.
  writeWhenMissing(`block/v2/${name}.json`, jsonOfSeries(make()));
}

/** As text, or its SHA-256 where that would be long. */
function jsonOfSeries(series: Series[]): string {
  const text = json(series.map(seriesToJson));
  if (text.length < 200_000) return text;
  return json({ sha256: createHash("sha256").update(text).digest("hex") });
}

const frameBase = {
  lane: "H",
  epoch: 3,
  seg: 2,
  bootNo: 7,
  monoMs: 81_234.5,
  wallMs: 1_767_225_600_000,
  clockQuality: "ntp",
} as const;
const data = encodeBlock(EXAMPLE_BLOCKS.sharedTimes(), noCompression);
const gap = encodeGap({ tMinMs: 1, tMaxMs: 2, samples: 500, cause: "overflow" });
const frames = {
  data: sealFrame(
    { ...frameBase, ...DATA_FRAME, first: 9, last: 9, sampleCount: 190, compression: "none" },
    data,
  ),
  gap: sealFrame(
    {
      ...frameBase,
      kind: "gap",
      blockVersion: 0,
      first: 10,
      last: 2 ** 40,
      sampleCount: 500,
      compression: "none",
    },
    gap,
  ),
  rollup: sealFrame(
    {
      ...frameBase,
      ...DATA_FRAME,
      kind: "rollup",
      first: 11,
      last: 250,
      sampleCount: 60_000,
      compression: "none",
    },
    encodeRollup(EXAMPLE_ROLLUP, noCompression),
  ),
  events: sealFrame(
    {
      ...frameBase,
      kind: "events",
      lane: "E",
      seg: 1,
      blockVersion: 0,
      first: 3,
      last: 3,
      sampleCount: 1,
      compression: "none",
    },
    encodeEvents([EXAMPLE_EVENT]),
  ),
};
for (const [name, bytes] of Object.entries(frames)) {
  writeWhenMissing(`frame/v1/${name}.bin`, bytes);
  writeWhenMissing(`frame/v1/${name}.json`, json(readFrame(bytes).header));
}

const messages: Record<string, [TSchema, Record<string, unknown>]> = {
  uplink: [UplinkMessage, UPLINK],
  downlink: [DownlinkMessage, DOWNLINK],
  liveClient: [LiveClientMessage, LIVE_CLIENT],
  liveServer: [LiveServerMessage, LIVE_SERVER],
};
for (const [side, [, examples]] of Object.entries(messages))
  for (const [type, message] of Object.entries(examples))
    writeWhenMissing(`wire/v1/${side}.${type}.json`, json(message));

describe("golden blocks of version 1", () => {
  test("there is one for each example", () => {
    expect(namesIn("block/v1", ".bin").sort()).toEqual(
      Object.keys(EXAMPLE_BLOCKS)
        .flatMap((name) => [`${name}.none`, `${name}.zstd`])
        .sort(),
    );
  });

  test.each(namesIn("block/v1", ".bin"))("%s still decodes to the same bits", (name) => {
    const series = decodeBlock(bytesOf(`block/v1/${name}.bin`), zstd);
    expect(JSON.parse(json(series.map(seriesToJson)))).toEqual(jsonOf(`block/v1/${name}.json`) as unknown[]);
  });

  test("use every value coding there is", () => {
    const raw = bytesOf("block/v1/everyCoding.none.bin").subarray(BLOCK_HEADER_BYTES);
    const table = new ByteReader("table", raw, 0, raw.length);
    const lengths = SECTIONS.map(() => table.varint());
    const startOf = (at: number) =>
      lengths.slice(0, at).reduce((sum, length) => sum + length, table.position);
    const section = (name: (typeof SECTIONS)[number]) => {
      const at = SECTIONS.indexOf(name);
      return raw.subarray(startOf(at), startOf(at) + lengths[at]!);
    };
    const codes = new Set([...section("codes")].map((code) => code & 15));
    const { packed: _, halves: __, ...codesOf1 } = CODE;
    expect([...codes].sort()).toEqual(Object.values(codesOf1).sort());
    const params = section("params").reduce((all, param) => all | param, 0);
    for (const bit of Object.values(PARAM)) expect(params & bit).toBe(bit);
    expect(BLOCK_MAGIC.every((byte, i) => bytesOf("block/v1/everyCoding.none.bin")[i] === byte)).toBe(true);
  });
});

describe("golden blocks of version 2", () => {
  const names = namesIn("block/v2", ".bin");

  test("there is one for each example", () => {
    expect(names.sort()).toEqual(
      Object.keys(EXAMPLE_BLOCKS_2)
        .flatMap((name) => [`${name}.none`, `${name}.zstd`])
        .sort(),
    );
  });

  test.each(names)("%s still decodes to the same bits", (name) => {
    const bytes = bytesOf(`block/v2/${name}.bin`);
    expect(bytes[3]).toBe(2);
    const text = readFileSync(join(GOLDEN, `block/v2/${name.split(".")[0]}.json`), "utf8");
    expect(jsonOfSeries(decodeBlock(bytes, zstd))).toBe(text);
  });

  test("between them foresee numbers in every way, and keep noise and times apart", () => {
    const seen = new Set<string>();
    for (const name of names.filter((name) => name.endsWith(".none"))) {
      const { header, sections, plain } = openBlock(bytesOf(`block/v2/${name}.bin`), noCompression);
      const { times, codes } = sections;
      if (times.remaining > 0) seen.add(`times ${times.bytes[times.start]}`);
      for (const code of codes.bytes.subarray(codes.start, codes.end)) seen.add(`code ${code & 15}`);
      if (header.plainBytes > 0 && plain) seen.add("noise");
      if (header.timesRawBytes > 0) seen.add("times apart");
    }
    for (const code of Object.values(CODE)) if (!isOfPlanes(code)) expect(seen).toContain(`code ${code}`);
    for (const mode of [TIMES.raw, TIMES.packed, TIMES.packedTable]) expect(seen).toContain(`times ${mode}`);
    expect(seen).toContain("noise");
    expect(seen).toContain("times apart");
  });
});

/** What few samples still use, and the blocks of version 1 show. */
const isOfPlanes = (code: number): boolean => code === CODE.planes32 || code === CODE.planes64;

describe("golden frames of version 1", () => {
  test.each(["data", "gap", "rollup", "events"])("%s still reads the same", (name) => {
    const frame = readFrame(bytesOf(`frame/v1/${name}.bin`));
    expect(frame.header).toEqual(jsonOf(`frame/v1/${name}.json`) as typeof frame.header);
    if (name === "rollup") expect(decodeRollup(frame.body, noCompression).kept.sampleCount).toBe(3);
    if (name === "events") expect(decodeEvents(frame.body)).toEqual([EXAMPLE_EVENT]);
    if (name === "gap") expect(decodeGap(frame.body)).toMatchObject({ samples: 500, cause: "overflow" });
    else if (name === "data") expect(decodeBlock(frame.body, noCompression).length).toBe(8);
  });

  test("sealing has not changed a byte", () => {
    expect(sealFrame(readFrame(bytesOf("frame/v1/gap.bin")).header, gap)).toEqual(
      bytesOf("frame/v1/gap.bin"),
    );
  });
});

describe("golden messages of version 1", () => {
  const cases = Object.entries(messages).flatMap(([side, [schema, examples]]) =>
    Object.keys(examples).map((type) => [`${side}.${type}`, schema] as const),
  );
  test("there is one for each type, and no other", () => {
    expect(namesIn("wire/v1", ".json").sort()).toEqual(cases.map(([name]) => name).sort());
  });

  test.each(cases)("%s still satisfies its schema", (name, schema) => {
    const message = jsonOf(`wire/v1/${name}.json`);
    expect([...Value.Errors(schema, message)].map(({ path, message }) => `${path}: ${message}`)).toEqual([]);
    // Without its type it is nobody's message: the check above cannot pass for everything.
    expect(Value.Check(schema, { ...(message as object), type: "unheardOf" })).toBe(false);
  });
});
