import { type Static, Type } from "@sinclair/typebox";

/**
 * Lanes of the uplink. E: alarms, command results, audit, never thinned. H: history. L: last values, not stored.
 */
export const Lane = Type.Union([Type.Literal("E"), Type.Literal("H"), Type.Literal("L")]);
export type Lane = Static<typeof Lane>;

/** Number of a frame in its stream, from 1. Stays below 2^53: at 1,000 frames a second for 285,000 years. */
export const Seq = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

/** A stream is identified by (gateway, epoch, lane, segment); its frames are numbered without holes. */
export const StreamKey = Type.Object({
  lane: Lane,
  seg: Type.Integer({ minimum: 1, maximum: 0xffff_ffff }),
});
export type StreamKey = Static<typeof StreamKey>;

/** Byte counts are of frames on the wire, header included. */
export type StreamText = `${Lane}/${number}`;
export const streamText = (key: StreamKey): StreamText => `${key.lane}/${key.seg}`;
