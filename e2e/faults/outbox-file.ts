import { Database } from "bun:sqlite";
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import type { Compression } from "@millrace/contract/block/compression";
import { decodeBlock } from "@millrace/contract/block/decode";
import { qualityLevel } from "@millrace/contract/vocabulary/quality";
import { readFrame } from "@millrace/contract/wire/frame";

const DATABASE = "outbox.db";
const WAL = "outbox.db-wal";
const BALLAST = "outbox.ballast";
/** Of SQLite's file format, chapter 4: the log's header, and one header before each page. */
const WAL_HEADER_BYTES = 32;
const WAL_FRAME_HEADER_BYTES = 24;

const zstd: Compression = {
  name: "zstd",
  compress: () => {
    throw new Error("the oracle only reads");
  },
  decompress: (bytes, rawBytesMax) =>
    new Uint8Array(zstdDecompressSync(bytes, { maxOutputLength: rawBytesMax })),
};

export const databaseOf = (gatewayFolder: string): string => join(gatewayFolder, DATABASE);

/** Copies a gateway's folder as it lies there, without the ballast. */
export function copyGateway(from: string, to: string): void {
  mkdirSync(to, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(from)) {
    if (name === BALLAST || !statSync(join(from, name)).isFile()) continue;
    copyFileSync(join(from, name), join(to, name));
  }
}

/** How far the numbers of each stream are given away, by lane and segment, in the buffer's own epoch. */
export function sentMarks(gatewayFolder: string): { epoch: number; sent: Map<string, number> } {
  const file = new Database(databaseOf(gatewayFolder), { readonly: true });
  try {
    const { v } = file.query("SELECT v FROM meta WHERE k = 'epoch'").get() as { v: string };
    const rows = file
      .query<{ stream: string; sent: number }, [number]>(
        "SELECT lane || '/' || seg AS stream, max_sent_seq AS sent FROM stream WHERE epoch = ?",
      )
      .all(Number(v));
    return { epoch: Number(v), sent: new Map(rows.map(({ stream, sent }) => [stream, sent])) };
  } finally {
    file.close();
  }
}

/** Good values of one tag in every data frame of a buffer that nobody has open. */
export function valuesIn(gatewayFolder: string, tagNo: number): number[] {
  const file = new Database(databaseOf(gatewayFolder), { readonly: true });
  try {
    const rows = file
      .query<{ body: Uint8Array }, []>(
        "SELECT body FROM frame WHERE kind = 'data' AND lane = 'H' ORDER BY id",
      )
      .all();
    return rows.flatMap(({ body }) =>
      decodeBlock(readFrame(body, 0).body, zstd)
        .filter((series) => series.tagNo === tagNo)
        .flatMap((series) =>
          [...series.values]
            .filter((_, i) => qualityLevel(series.quality[i]!) === "good")
            .map((value) => Number(value)),
        ),
    );
  } finally {
    file.close();
  }
}

/** Puts the write-ahead log into the file, so that damage to the file is damage to what it holds. */
export function settle(gatewayFolder: string): void {
  const file = new Database(databaseOf(gatewayFolder));
  file.run("PRAGMA wal_checkpoint(TRUNCATE)");
  file.close();
}

/** Flips a bit in the body of an unacknowledged frame in the middle of the backlog; returns how many values it holds. */
export function flipInBody(gatewayFolder: string, tagNo: number): number {
  settle(gatewayFolder);
  const path = databaseOf(gatewayFolder);
  const db = new Database(path, { readonly: true });
  const rows = db
    .query<{ body: Uint8Array }, []>(
      `SELECT f.body FROM frame f JOIN stream s USING (epoch, lane, seg)
       WHERE f.lane = 'H' AND f.kind = 'data' AND f.first > s.acked_seq ORDER BY f.id`,
    )
    .all();
  db.close();
  const body = rows[Math.floor(rows.length / 2)]!.body;
  const file = readFileSync(path);
  const at = file.indexOf(Buffer.from(body)) + body.length - 3;
  overwrite(path, at, Buffer.from([file[at]! ^ 4]));
  return decodeBlock(readFrame(body, 0).body, zstd)
    .filter((series) => series.tagNo === tagNo)
    .reduce((sum, series) => sum + series.timesMs.length, 0);
}

export function overwrite(path: string, at: number, bytes: Uint8Array): void {
  const file = openSync(path, "r+");
  try {
    writeSync(file, bytes, 0, bytes.length, at);
  } finally {
    closeSync(file);
  }
}

/** Where each committed transaction of the write-ahead log ends, in bytes. Empty without a log. */
export function commitsOfLog(gatewayFolder: string): number[] {
  const path = join(gatewayFolder, WAL);
  if (!existsSync(path)) return [];
  const log = readFileSync(path);
  if (log.length < WAL_HEADER_BYTES) return [];
  const frameBytes = WAL_FRAME_HEADER_BYTES + log.readUInt32BE(8);
  const ends: number[] = [];
  for (let at = WAL_HEADER_BYTES; at + frameBytes <= log.length; at += frameBytes) {
    // Frames of the log's last turn carry its salt; behind them lies an older turn.
    if (log.compare(log, 16, 24, at + 8, at + 16) !== 0) break;
    if (log.readUInt32BE(at + 4) !== 0) ends.push(at + frameBytes);
  }
  return ends;
}

export function cutLog(gatewayFolder: string, bytes: number): void {
  truncateSync(join(gatewayFolder, WAL), bytes);
}
