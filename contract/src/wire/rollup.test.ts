import { expect, test } from "bun:test";
import { EXAMPLE_ROLLUP } from "../../test/example-frames.ts";
import { zstd } from "../../test/zstd.ts";
import { seriesOfColumns } from "../block/columns.ts";
import { noCompression } from "../block/compression.ts";
import { decodeBlock } from "../block/decode.ts";
import { decodeRollup, encodeRollup, keptBlock } from "./rollup.ts";

test.each([noCompression, zstd])("a rollup comes back as it went in, with $name", (compression) => {
  const body = encodeRollup(EXAMPLE_ROLLUP, compression);
  const back = decodeRollup(body, compression);
  expect(seriesOfColumns(back.kept)).toEqual(EXAMPLE_ROLLUP.kept as never);
  expect(seriesOfColumns(back.means)).toEqual(EXAMPLE_ROLLUP.means as never);
  expect(seriesOfColumns(back.counts)).toEqual(EXAMPLE_ROLLUP.counts as never);
  expect(decodeBlock(keptBlock(body), compression)).toEqual(EXAMPLE_ROLLUP.kept as never);
});

test("a body cut anywhere is garbled, never something else", () => {
  const body = encodeRollup(EXAMPLE_ROLLUP, noCompression);
  for (let length = 0; length < body.length; length++)
    expect(() => decodeRollup(body.subarray(0, length), noCompression)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^block\./) }),
    );
});
