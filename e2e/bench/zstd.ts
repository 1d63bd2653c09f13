import { zstdDecompressSync } from "node:zlib";
import type { Compression } from "@millrace/contract/block/compression";

/** As hub and gateway compress: level 1. */
export const zstd: Compression = {
  name: "zstd",
  compress: (raw) => Bun.zstdCompressSync(raw, { level: 1 }),
  decompress: (bytes, rawBytesMax) =>
    zstdDecompressSync(bytes, { maxOutputLength: Math.max(rawBytesMax, 1) }),
};
