import { encodeBlock } from "@millrace/contract/block/encode";
import { KINDS, type Series } from "@millrace/contract/block/series";
import type { Random } from "@millrace/contract/std/clock";
import { DATA_FRAME, readFrame, sealFrame } from "@millrace/contract/wire/frame";
import { encodeGap } from "@millrace/contract/wire/gap";
import { PLACE } from "../../src/historian/compaction/sift.ts";
import { DAY_MS, HOUR_MS } from "../../src/historian/slot.ts";
import { type AdmittedFrame, type ApplyInput, WIDE_SPAN_MS } from "../../src/ingest/apply.ts";
import { openFrame } from "../../src/ingest/open-frame.ts";
import { zstd } from "../../src/ingest/zstd.ts";

/** A plant that sends everything a plant may send, by chance. */

export const TAGS = { gateway1: [1, 40], gateway2: [30, 60], all: 70 } as const;

/** Tags 30 to 40 moved from one gateway to the other; those above 60 are nobody's. */
export const isWriter = (gatewayNo: number, tagNo: number): boolean => {
  const [from, to] = gatewayNo === 1 ? TAGS.gateway1 : TAGS.gateway2;
  return tagNo >= from && tagNo <= to;
};

export interface Stream {
  gatewayNo: number;
  seg: number;
  bootNo: number;
  clockNone: boolean;
  /** Times of a stream differ from those of all others, so the order of equal times is told by arrival alone. */
  residue: number;
}

export const STREAMS: readonly Stream[] = [
  { gatewayNo: 1, seg: 1, bootNo: 1, clockNone: false, residue: 0 },
  { gatewayNo: 1, seg: 2, bootNo: 1, clockNone: false, residue: 1 },
  { gatewayNo: 2, seg: 1, bootNo: 1, clockNone: false, residue: 2 },
  { gatewayNo: 2, seg: 2, bootNo: 2, clockNone: true, residue: 3 },
];
export const RESIDUES = STREAMS.length;

/** Added to the times of the boot without a clock; a multiple of `RESIDUES`. */
export const OFFSET_MS = 4_000_000;

const pick = <T>(random: Random, all: readonly T[]): T => all[Math.floor(random() * all.length)]!;
const below = (random: Random, n: number): number => Math.floor(random() * n);

const QUALITIES = [0, 0, 0, 0, 64, 65, 128, 129, 200, 7];
const ODD_DOUBLES = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 1e308, 5e-324];
const TEXTS = ["", "running", "stopped", "ü", "日本", "a".repeat(300)];

/** A time near now: mostly of the last hours, sometimes days late, now and then absurd. */
function timeOf(random: Random, stream: Stream, nowMs: number): number {
  const kind = random();
  let ms: number;
  if (kind < 0.6) ms = nowMs - below(random, 30_000);
  else if (kind < 0.8) ms = nowMs - below(random, 3 * HOUR_MS);
  else if (kind < 0.95) ms = nowMs - below(random, 3 * DAY_MS);
  else if (kind < 0.97) ms = nowMs + below(random, 2 * HOUR_MS);
  else if (kind < 0.985) ms = nowMs - (500 + below(random, 500)) * DAY_MS;
  else ms = pick(random, [-5 * DAY_MS, PLACE.toMs + DAY_MS, PLACE.fromMs, PLACE.toMs - 8]);
  const settled = Math.floor(ms / 2_000) * 2_000 + pick(random, [0, 0, 500, 1_000]);
  return settled + stream.residue - (stream.clockNone ? OFFSET_MS : 0);
}

function valuesOf(random: Random, kind: Series["kind"], count: number): Pick<Series, "kind" | "values"> {
  switch (kind) {
    case "double": {
      const values = Float64Array.from({ length: count }, () =>
        random() < 0.1 ? pick(random, ODD_DOUBLES) : below(random, 10_000) / 10,
      );
      // A NaN with a payload must keep it.
      if (random() < 0.2)
        new BigUint64Array(values.buffer)[0] = 0x7ff8_0000_0000_0000n + BigInt(below(random, 99));
      return { kind, values };
    }
    case "int64":
      return {
        kind,
        values: BigInt64Array.from({ length: count }, () =>
          pick(random, [-(2n ** 63n), 2n ** 63n - 1n, BigInt(below(random, 100)) - 50n, 2n ** 53n + 1n]),
        ),
      };
    case "uint64":
      return {
        kind,
        values: BigUint64Array.from({ length: count }, () =>
          pick(random, [0n, 2n ** 64n - 1n, BigInt(below(random, 100))]),
        ),
      };
    case "boolean":
      return { kind, values: Uint8Array.from({ length: count }, () => below(random, 2)) };
    case "text":
      return { kind, values: Array.from({ length: count }, () => pick(random, TEXTS)) };
  }
}

function seriesOf(random: Random, tagNo: number, stream: Stream, nowMs: number): Series {
  const count = 1 + below(random, random() < 0.1 ? 200 : 6);
  // Nearly every tag keeps its type; some have it changed.
  const kind = KINDS[random() < 0.1 ? below(random, KINDS.length) : tagNo % KINDS.length]!;
  const times = Float64Array.from({ length: count }, () => timeOf(random, stream, nowMs));
  if (random() < 0.7) times.sort();
  const nulls = random() < 0.2 ? Uint8Array.from({ length: count }, () => (random() < 0.3 ? 1 : 0)) : null;
  return {
    tagNo,
    timesMs: times,
    quality: Uint8Array.from({ length: count }, () => pick(random, QUALITIES)),
    nulls: nulls?.some((flag) => flag === 1) ? nulls : null,
    receivedMs: random() < 0.2 ? times.map((ms) => ms + below(random, 1_000)) : null,
    ...valuesOf(random, kind, count),
  } as Series;
}

export interface SentFrame {
  stream: Stream;
  series: readonly Series[];
  frame: AdmittedFrame;
  receivedMs: number;
}

/** The next frame of a stream. */
export function makeFrame(random: Random, stream: Stream, seq: number, nowMs: number): SentFrame {
  const [from, to] = stream.gatewayNo === 1 ? TAGS.gateway1 : TAGS.gateway2;
  const tags = new Set<number>();
  for (let i = 1 + below(random, 5); i > 0; i--)
    tags.add(random() < 0.05 ? 1 + below(random, TAGS.all) : from + below(random, to - from + 1));
  const isGap = random() < 0.08;
  const series = isGap ? [] : [...tags].map((tagNo) => seriesOf(random, tagNo, stream, nowMs));
  const body = isGap
    ? encodeGap({ tMinMs: nowMs - 5_000, tMaxMs: nowMs, samples: 12, cause: "overflow" })
    : encodeBlock(series, zstd);
  const last = isGap ? seq + below(random, 4) : seq;
  const bytes = sealFrame(
    {
      ...DATA_FRAME,
      kind: isGap ? "gap" : "data",
      blockVersion: isGap ? 0 : DATA_FRAME.blockVersion,
      lane: "H",
      seg: stream.seg,
      epoch: 1,
      first: seq,
      last,
      sampleCount: isGap ? 12 : series.reduce((sum, { timesMs }) => sum + timesMs.length, 0),
      bootNo: stream.bootNo,
      monoMs: 1,
      wallMs: nowMs,
      clockQuality: stream.clockNone && !isGap ? "none" : "ntp",
      compression: isGap ? "none" : "zstd",
    },
    body,
  );
  const { frame } = openFrame(readFrame(bytes), zstd);
  return { stream, series, frame, receivedMs: nowMs };
}

export const applyInput = ({ stream, frame, receivedMs }: SentFrame): ApplyInput => ({
  gatewayNo: stream.gatewayNo,
  epoch: 1,
  key: { lane: "H", seg: stream.seg },
  frames: [frame],
  receivedAt: new Date(receivedMs),
});

export { WIDE_SPAN_MS };
