import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { AppError } from "../error/app-error.ts";
import { canonicalJson } from "../std/canonical-json.ts";

/** Why samples are missing. */
export const GapCause = Type.Union([
  /** The outbox was full and its oldest frames were dropped. */
  Type.Literal("overflow"),
  /** The outbox file was damaged. */
  Type.Literal("corrupt"),
  /** The hub refused the frames again and again; the gateway keeps them aside. */
  Type.Literal("quarantine"),
  /** The hub was restored from a backup older than what the gateway still keeps. */
  Type.Literal("hubRestore"),
]);
export type GapCause = Static<typeof GapCause>;

/** Body of a gap frame, as canonical JSON. Times are null when nobody knows them any more. */
export const GapBody = Type.Object(
  {
    tMinMs: Type.Union([Type.Number(), Type.Null()]),
    tMaxMs: Type.Union([Type.Number(), Type.Null()]),
    samples: Type.Integer({ minimum: 0 }),
    cause: GapCause,
  },
  { additionalProperties: false },
);
export type GapBody = Static<typeof GapBody>;

const GAP_BODY_BYTES_MAX = 512;

export function encodeGap(gap: GapBody): Uint8Array {
  return new TextEncoder().encode(canonicalJson(gap));
}

/** @throws AppError `frame.garbled` naming the field */
export function decodeGap(body: Uint8Array): GapBody {
  if (body.length > GAP_BODY_BYTES_MAX)
    throw new AppError(
      "frame.garbled",
      `A gap has at most ${GAP_BODY_BYTES_MAX} bytes; found ${body.length}`,
    );
  let found: unknown;
  try {
    found = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (cause) {
    throw new AppError("frame.garbled", "The body of a gap is no JSON", { cause });
  }
  const error = Value.Errors(GapBody, found).First();
  if (error) throw new AppError("frame.garbled", `Gap ${error.path || "/"}: ${error.message}`);
  return found as GapBody;
}
