import type { Lane } from "@millrace/contract/wire/stream";
import type { SQL } from "bun";
import { checkTiling, decodeProof, type NumberRange, type ProvenFrame, type Tiling } from "./proof.ts";
import { insertProof, type StreamId } from "./store.ts";

/** A stream whose frames do not tile its numbers. */
export interface StreamFault extends StreamId {
  fault: "missing" | "twice" | "beyond" | "samples";
  /** The number in question. */
  at: number;
}

interface StreamRow {
  gateway_no: number;
  epoch: string;
  lane: Lane;
  seg: string;
}

const streamOf = (row: StreamRow): StreamId => ({
  gatewayNo: row.gateway_no,
  epoch: Number(row.epoch),
  lane: row.lane,
  seg: Number(row.seg),
});

async function findStreams(sql: SQL): Promise<StreamId[]> {
  const rows: StreamRow[] = await sql`
    SELECT gateway_no, epoch::text, lane, seg::text FROM uplink_stream
    WHERE lane <> 'L' ORDER BY 1, uplink_stream.epoch, 3, uplink_stream.seg`;
  return rows.map(streamOf);
}

interface RangeRow {
  first: string;
  last: string;
  samples: string;
  /** Only of a proof with holes, in which frames of other rows lie. */
  body: Uint8Array | null;
}

/**
 * Looks whether journal and proofs together hold every number of each stream exactly once (`delivery.md` 2.4). Of rows
 * without holes only the ends are read, so that years cost little.
 */
export async function checkStreams(sql: SQL): Promise<StreamFault[]> {
  const faults: StreamFault[] = [];
  for (const stream of await findStreams(sql)) {
    const found = await checkStream(sql, stream);
    if (!found.whole) faults.push({ ...stream, fault: found.fault, at: found.at });
  }
  return faults;
}

async function checkStream(
  sql: SQL,
  { gatewayNo, epoch, lane, seg }: StreamId,
): Promise<Tiling | { whole: false; fault: "samples"; at: number }> {
  return await sql.begin("ISOLATION LEVEL REPEATABLE READ READ ONLY", async (tx) => {
    const marks: { last: string }[] = await tx`
      SELECT last::text FROM uplink_stream
      WHERE gateway_no = ${gatewayNo} AND epoch = ${epoch} AND lane = ${lane} AND seg = ${seg}`;
    const rows: RangeRow[] = await tx`
      SELECT first::text, last::text, '0' AS samples, NULL::bytea AS body FROM journal
      WHERE gateway_no = ${gatewayNo} AND epoch = ${epoch} AND lane = ${lane} AND seg = ${seg}
      UNION ALL
      SELECT first::text, last::text, samples::text, CASE WHEN covered < last - first + 1 THEN body END
      FROM frame_proof
      WHERE gateway_no = ${gatewayNo} AND epoch = ${epoch} AND lane = ${lane} AND seg = ${seg}`;
    const ranges: NumberRange[] = [];
    for (const { first, last, samples, body } of rows) {
      if (body === null) ranges.push({ first: Number(first), last: Number(last) });
      else {
        const frames = decodeProof(body, Number(first));
        ranges.push(...frames.map((frame) => ({ first: frame.first, last: frame.last })));
        if (frames.reduce((sum, { n }) => sum + n, 0) !== Number(samples))
          return { whole: false, fault: "samples", at: Number(first) };
      }
    }
    return checkTiling(ranges, Number(marks[0]?.last ?? 0));
  });
}

/** Rows below this are put together, up to so many frames each. */
const MERGED_FRAMES = 4_096;
/** Rows put together in one transaction: two days of one stream. */
const MERGE_ROWS_MAX = 6_000;

/**
 * Puts the many small proofs of the last days together: a row and its place in the index cost more than the frames of a
 * small gateway's half minute. @returns how many rows went
 */
export async function mergeProofs(sql: SQL): Promise<number> {
  let gone = 0;
  for (const stream of await findStreams(sql)) gone += await mergeStream(sql, stream);
  return gone;
}

async function mergeStream(sql: SQL, stream: StreamId): Promise<number> {
  const { gatewayNo, epoch, lane, seg } = stream;
  return await sql.begin(async (tx) => {
    // Locked: a second hub that does the same waits here and then finds them gone.
    const rows: { first: string; body: Uint8Array }[] = await tx`
      SELECT first::text, body FROM frame_proof
      WHERE gateway_no = ${gatewayNo} AND epoch = ${epoch} AND lane = ${lane} AND seg = ${seg}
        AND frames < ${MERGED_FRAMES / 2}
      ORDER BY frame_proof.first LIMIT ${MERGE_ROWS_MAX} FOR UPDATE`;
    if (rows.length < 2) return 0;
    const frames: ProvenFrame[] = rows.flatMap(({ first, body }) => decodeProof(body, Number(first)));
    frames.sort((a, b) => a.first - b.first);
    const firsts = rows.map(({ first }) => first);
    await tx`
      DELETE FROM frame_proof WHERE gateway_no = ${gatewayNo} AND epoch = ${epoch} AND lane = ${lane} AND seg = ${seg}
        AND first = ANY(${`{${firsts.join(",")}}`}::text::bigint[])`;
    let made = 0;
    for (let from = 0; from < frames.length; from += MERGED_FRAMES, made++)
      await insertProof(tx, stream, frames.slice(from, from + MERGED_FRAMES));
    return rows.length - made;
  });
}
