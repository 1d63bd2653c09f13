import { expect, test } from "bun:test";
import { type FrameHeader, readFrame, sealFrame } from "@millrace/contract/wire/frame";
import { encodeGap } from "@millrace/contract/wire/gap";
import { openFrame } from "./open-frame.ts";
import { zstd } from "./zstd.ts";

const SEALED_MS = 1_000_000;

const opened = (tMinMs: number | null, tMaxMs: number | null) => {
  const header: FrameHeader = {
    kind: "gap",
    lane: "H",
    seg: 1,
    epoch: 1,
    first: 2,
    last: 4,
    sampleCount: 0,
    bootNo: 1,
    monoMs: 0,
    wallMs: SEALED_MS,
    clockQuality: "ntp",
    blockVersion: 0,
    compression: "none",
  };
  const bytes = sealFrame(header, encodeGap({ tMinMs, tMaxMs, samples: 0, cause: "hubRestore" }));
  const { kind, tMin, tMax } = openFrame(readFrame(bytes), zstd).frame;
  return { kind, tMin, tMax };
};

test("a gap that knows only where it ends or begins is a gap, also when it was noticed long after", () => {
  expect(opened(null, 5_000)).toEqual({ kind: "gap", tMin: 5_000, tMax: 5_000 });
  expect(opened(null, 2_000_000)).toEqual({ kind: "gap", tMin: SEALED_MS, tMax: 2_000_000 });
  expect(opened(2_000_000, null)).toEqual({ kind: "gap", tMin: 2_000_000, tMax: 2_000_000 });
  expect(opened(null, null)).toEqual({ kind: "gap", tMin: SEALED_MS, tMax: SEALED_MS });
  expect(opened(9_000, 5_000).kind).toBe("quarantined");
});
