import type { StreamKey } from "@millrace/contract/wire/stream";
import type { SQL } from "bun";
import { coveredBy, decodeProof, encodeProof, type ProvenFrame } from "./proof.ts";

/** A stream of one gateway. */
export interface StreamId extends StreamKey {
  gatewayNo: number;
  epoch: number;
}

/** Writes one row for the frames, which are of one stream and in rising order. */
export async function insertProof(tx: SQL, stream: StreamId, frames: readonly ProvenFrame[]): Promise<void> {
  const { gatewayNo, epoch, lane, seg } = stream;
  const samples = frames.reduce((sum, { n }) => sum + n, 0);
  await tx`
    INSERT INTO frame_proof (gateway_no, epoch, lane, seg, first, last, frames, covered, samples, body)
    VALUES (${gatewayNo}, ${epoch}, ${lane}, ${seg}, ${frames[0]!.first}::bigint, ${frames.at(-1)!.last}::bigint,
      ${frames.length}, ${coveredBy(frames)}::bigint, ${samples}::bigint, ${encodeProof(frames)})`;
}

interface KnownRow {
  first: string;
  crc: string | null;
  body: Uint8Array | null;
}

/**
 * First numbers and checksums of frames of a stream with `from` <= first <= `to`, in rising order, wherever they lie: in
 * the journal or, once compacted, in the proofs. Both are read in one statement, so that a frame on its way from one to
 * the other is not missed.
 *
 * @param limit frames at most, the lowest
 */
export async function findCrcs(
  sql: SQL,
  stream: StreamId,
  from: number,
  to: number,
  limit: number,
): Promise<{ first: number; crc: number }[]> {
  const { gatewayNo, epoch, lane, seg } = stream;
  const rows: KnownRow[] = await sql`
    WITH found AS (
      SELECT first, 1 AS frames, crc, NULL::bytea AS body FROM journal
      WHERE gateway_no = ${gatewayNo} AND epoch = ${epoch} AND lane = ${lane} AND seg = ${seg}
        AND first BETWEEN ${from}::bigint AND ${to}::bigint
      UNION ALL
      SELECT first, frames, NULL, body FROM frame_proof
      WHERE gateway_no = ${gatewayNo} AND epoch = ${epoch} AND lane = ${lane} AND seg = ${seg}
        AND first <= ${to}::bigint AND last >= ${from}::bigint
    ), ranked AS (
      SELECT *, sum(frames) OVER (ORDER BY first ROWS UNBOUNDED PRECEDING) - frames AS before FROM found
      WHERE first >= ${from}::bigint
      UNION ALL SELECT *, 0 FROM found WHERE first < ${from}::bigint
    )
    SELECT first::text, crc::text, body FROM ranked WHERE before < ${limit}`;
  const known = rows.flatMap(({ first, crc, body }) =>
    body === null ? [{ first: Number(first), crc: Number(crc) }] : decodeProof(body, Number(first)),
  );
  return known
    .filter(({ first }) => first >= from && first <= to)
    .map(({ first, crc }) => ({ first, crc }))
    .sort((a, b) => a.first - b.first)
    .slice(0, limit);
}
