import { describe, expect, test } from "bun:test";
import { AppError } from "../error/app-error.ts";
import {
  DATA_FRAME,
  FRAME_HEADER_BYTES,
  type FrameHeader,
  joinEnvelope,
  readFrame,
  readFrameHeader,
  sealFrame,
  splitEnvelope,
} from "./frame.ts";
import { decodeGap, encodeGap, type GapBody } from "./gap.ts";
import { LIMITS } from "./limits.ts";

const header = (over: Partial<FrameHeader> = {}): FrameHeader => ({
  ...DATA_FRAME,
  lane: "H",
  epoch: 3,
  seg: 0xffff_ffff,
  first: 2 ** 52 + 1,
  last: 2 ** 52 + 1,
  sampleCount: 500,
  bootNo: 7,
  monoMs: 0.125,
  wallMs: 1_767_225_600_000,
  clockQuality: "hub",
  compression: "zstd",
  ...over,
});
const body = Uint8Array.of(1, 2, 3);
const numbered = (seq: number, over: Partial<FrameHeader> = {}) =>
  sealFrame(header({ first: seq, last: seq, ...over }), body);

function errorOf(run: () => unknown): AppError {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof AppError) return thrown;
    throw thrown;
  }
  throw new Error("nothing was thrown");
}

describe("a frame", () => {
  test("gives back header and body, wherever it lies", () => {
    for (const given of [header(), header({ kind: "gap", last: 2 ** 53 - 1, blockVersion: 0, lane: "E" })]) {
      const sealed = sealFrame(given, body);
      const somewhere = new Uint8Array(sealed.length + 9);
      somewhere.set(sealed, 5);
      const view = readFrame(somewhere.subarray(2), 3);
      expect(view.header).toEqual(given);
      expect(view.body).toEqual(body);
      expect(view.bytes).toEqual(sealed);
      expect(view.bytes.buffer).toBe(somewhere.buffer);
    }
  });

  test("is the same bytes each time it is sealed", () => {
    expect(sealFrame(header(), body)).toEqual(sealFrame(header(), body));
  });

  test("with a damaged body is refused by its number", () => {
    const bytes = numbered(17);
    bytes[FRAME_HEADER_BYTES]! ^= 1;
    expect(readFrameHeader(bytes).header.first).toBe(17);
    const error = errorOf(() => readFrame(bytes));
    expect([error.code, error.context]).toEqual(["frame.garbled", { lane: "H", seg: 0xffff_ffff, seq: 17 }]);
  });

  test("above the limit is neither sealed nor read", () => {
    const big = new Uint8Array(LIMITS.frameBodyBytesMax + 1);
    expect(errorOf(() => sealFrame(header(), big)).code).toBe("frame.tooLarge");
    const bytes = numbered(1);
    new DataView(bytes.buffer).setUint32(20, big.length, true);
    expect(errorOf(() => readFrame(bytes)).code).toBe("frame.tooLarge");
  });

  const faults: Partial<FrameHeader>[] = [
    { first: 0, last: 0 },
    { first: 5, last: 6 },
    { first: 6, last: 5, kind: "gap" },
    { epoch: 0 },
    { seg: 2 ** 32 },
    { bootNo: 0 },
    { sampleCount: LIMITS.blockSamplesMax + 1 },
    { wallMs: Number.NaN },
    { blockVersion: 256 },
  ];
  test.each(faults)("cannot be sealed with %o", (fault) => {
    expect(errorOf(() => sealFrame(header(fault), body)).code).toBe("internal.bug");
  });
});

describe("an envelope", () => {
  test("gives its frames back in order", () => {
    const frames = [numbered(1), sealFrame(header({ kind: "gap", first: 2, last: 90 }), body), numbered(91)];
    const split = splitEnvelope(joinEnvelope(frames));
    expect(split.map((frame) => frame.bytes)).toEqual(frames);
    expect(split.map((frame) => [frame.header.first, frame.header.last])).toEqual([
      [1, 1],
      [2, 90],
      [91, 91],
    ]);
  });

  const bad: [string, Uint8Array[], string][] = [
    ["a hole", [numbered(1), numbered(3)], "frame.gap"],
    ["a repetition", [numbered(1), numbered(1)], "frame.gap"],
    ["two segments", [numbered(1), numbered(2, { seg: 1 })], "frame.garbled"],
    ["two lanes", [numbered(1), numbered(2, { lane: "E" })], "frame.garbled"],
    ["two epochs", [numbered(1), numbered(2, { epoch: 4 })], "frame.garbled"],
    ["too many frames", Array.from({ length: 257 }, (_, i) => numbered(i + 1)), "frame.tooLarge"],
  ];
  test.each(bad)("is refused with %s, joining and splitting", (_, frames, code) => {
    expect(errorOf(() => joinEnvelope(frames)).code).toBe(code as AppError["code"]);
    expect(errorOf(() => splitEnvelope(Buffer.concat(frames))).code).toBe(code as AppError["code"]);
  });

  test("is refused when empty, too large, or followed by something", () => {
    expect(errorOf(() => joinEnvelope([])).code).toBe("frame.garbled");
    expect(errorOf(() => splitEnvelope(new Uint8Array(0))).code).toBe("frame.garbled");
    expect(errorOf(() => splitEnvelope(new Uint8Array(LIMITS.envelopeBytesMax + 1))).code).toBe(
      "frame.tooLarge",
    );
    expect(errorOf(() => splitEnvelope(Buffer.concat([numbered(1), body]))).code).toBe("frame.garbled");
  });

  test("names the number a hole begins at", () => {
    const error = errorOf(() => joinEnvelope([numbered(1), numbered(3)]));
    expect(error.context).toMatchObject({ lane: "H", seq: 3, expected: 2 });
  });
});

describe("the body of a gap", () => {
  test("round-trips", () => {
    const gap: GapBody = { tMinMs: 1, tMaxMs: null, samples: 12, cause: "overflow" };
    expect(decodeGap(encodeGap(gap))).toEqual(gap);
  });

  const bad = ["", "{", "[]", '{"tMinMs":1,"tMaxMs":2,"samples":-1,"cause":"overflow"}', " ".repeat(513)];
  test.each(bad)("refuses %p", (text) => {
    expect(errorOf(() => decodeGap(new TextEncoder().encode(text))).code).toBe("frame.garbled");
  });
});
