/**
 * A general-purpose compressor. Injected, because the contract also runs in browsers and does no I/O; gateway and hub
 * bring zstd, at the level they like. Measured for chunks of one tag in version 2: level 3 gives the size and the
 * speed of level 1 (0.654 bytes a sample of decimals either way; text in a few states even 0.326 for 0.323), because
 * the digits leave no matches to find.
 */
export interface Compression {
  name: CompressionName;
  compress(raw: Uint8Array): Uint8Array;
  /**
   * Must never produce, nor allocate for, more than `rawBytesMax` bytes: it throws instead (any error; the block
   * decoder turns it into `block.garbled`).
   */
  decompress(bytes: Uint8Array, rawBytesMax: number): Uint8Array;
}

/** Names by their number inside a block and a frame. Append only. */
export const COMPRESSIONS = ["none", "zstd"] as const;
export type CompressionName = (typeof COMPRESSIONS)[number];

/** Stores the columns as they are. */
export const noCompression: Compression = {
  name: "none",
  compress: (raw) => raw,
  decompress: (bytes) => bytes,
};
