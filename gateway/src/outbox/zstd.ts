import { zstdDecompressSync } from "node:zlib";
import type { Compression } from "@millrace/contract/block/compression";

/** Level 1: one core does about 400 MB/s, and the columns of a block are in good order already. */
const LEVEL = 1;

/** zstd for blocks. `decompress` throws before it allocates when the content says it is larger than allowed. */
export const zstd: Compression = {
  name: "zstd",
  compress: (raw) => Bun.zstdCompressSync(raw, { level: LEVEL }),
  decompress: (bytes, rawBytesMax) =>
    zstdDecompressSync(bytes, { maxOutputLength: Math.max(rawBytesMax, 1) }),
};
