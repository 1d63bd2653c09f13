import { expect, test } from "bun:test";
import { decodeKnownFrames, encodeKnownFrames } from "./known-frames.ts";

test("a list of frames comes back as it went in, empty and long", () => {
  const frames = Array.from({ length: 5_000 }, (_, index) => ({
    first: index * 3 + 2 ** 40,
    crc: (index * 2_654_435_761) >>> 0,
  }));
  expect(decodeKnownFrames(encodeKnownFrames(frames))).toEqual(frames);
  expect(decodeKnownFrames(encodeKnownFrames([]))).toEqual([]);
});

test.each(["*", "AAAA", btoa("thirteen bytes")])("refuses %p", (text) => {
  expect(() => decodeKnownFrames(text)).toThrow(expect.objectContaining({ code: "uplink.protocol" }));
});
