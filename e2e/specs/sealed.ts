import { Database } from "bun:sqlite";
import { join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import type { Compression } from "@millrace/contract/block/compression";
import { decodeBlock } from "@millrace/contract/block/decode";
import { qualityLevel } from "@millrace/contract/vocabulary/quality";
import { readFrame } from "@millrace/contract/wire/frame";

const zstd: Compression = {
  name: "zstd",
  compress: () => {
    throw new Error("the oracle only reads");
  },
  decompress: (bytes, rawBytesMax) =>
    new Uint8Array(zstdDecompressSync(bytes, { maxOutputLength: rawBytesMax })),
};

export interface SealedSample {
  timeMs: number;
  value: number;
}

/**
 * Every good sample of one tag that a stopped gateway ever sealed, read from its buffer file frame by frame. Gateways
 * keep acknowledged frames for two days, so after a test of minutes this is the complete ledger.
 */
export function sealedSamples(gatewayFolder: string, tagNo: number): SealedSample[] {
  const file = new Database(join(gatewayFolder, "outbox.db"), { readonly: true });
  try {
    const rows = file.query<{ body: Uint8Array }, []>("SELECT body FROM frame ORDER BY id").all();
    return rows.flatMap(({ body }) => samplesOf(body, tagNo));
  } finally {
    file.close();
  }
}

function samplesOf(bytes: Uint8Array, tagNo: number): SealedSample[] {
  const frame = readFrame(bytes, 0);
  if (frame.header.kind === "events") return [];
  if (frame.header.kind !== "data")
    throw new Error(`a ${frame.header.kind} frame in a test that overflows nothing`);
  const found: SealedSample[] = [];
  for (const series of decodeBlock(frame.body, zstd)) {
    if (series.tagNo !== tagNo) continue;
    for (let i = 0; i < series.timesMs.length; i++) {
      if (qualityLevel(series.quality[i]!) !== "good") continue;
      found.push({ timeMs: series.timesMs[i]!, value: Number(series.values[i]) });
    }
  }
  return found;
}
