import { zstdDecompressSync } from "node:zlib";
import type { Compression } from "../src/block/compression.ts";

/** The compressor of gateway and hub, for tests of the contract. */
export const zstd: Compression = {
  name: "zstd",
  compress: (raw) => Bun.zstdCompressSync(raw, { level: 1 }),
  decompress: (bytes, rawBytesMax) =>
    zstdDecompressSync(bytes, { maxOutputLength: Math.max(rawBytesMax, 1) }),
};
