import { type Static, Type } from "@sinclair/typebox";
import { ClockQualityName, GatewayStatus } from "../vocabulary/gateway.ts";
import { Base64Url, EntityId } from "../vocabulary/id.ts";
import { FieldAnswer, FieldKindNames } from "./field.ts";
import { LIMITS } from "./limits.ts";
import { Seq, StreamKey } from "./stream.ts";

/** What both ends store as a 32-bit number; a larger one would fail at the hub's database. */
const ManifestRev = Type.Integer({ minimum: 0, maximum: 0x7fff_ffff });

/** Text messages gateway → hub. Binary messages are envelopes (`frame.ts`). */

const HelloStream = Type.Composite([
  StreamKey,
  Type.Object({
    /** Lowest and next sequence number on the gateway's disk, and the highest the hub acknowledged as it knows. */
    low: Seq,
    next: Seq,
    acked: Seq,
    /**
     * Highest number that may ever have left this gateway, noted on its disk before it left. A hub that has more knows
     * that the gateway went back in time. Absent in gateways before 0.2.
     */
    sent: Type.Optional(Seq),
  }),
]);

/** Everything in a hello but its signature. The signature covers `helloText`. */
export const HelloBody = Type.Object({
  protocol: Type.Integer({ minimum: 1, maximum: 0xffff }),
  gatewayId: EntityId,
  keyId: Type.String({ minLength: 1, maxLength: 64 }),
  hubId: EntityId,
  nonce: Base64Url(32),
  epoch: Type.Integer({ minimum: 1, maximum: 0xffff_ffff }),
  sessionNo: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  bootNo: Type.Integer({ minimum: 1, maximum: 0xffff_ffff }),
  streams: Type.Array(HelloStream, { maxItems: LIMITS.streamsMax }),
  /** Number of the manifest that runs; 0 when there is none. */
  manifestRev: ManifestRev,
  /** Highest command number this gateway knows; 0 when it never had one. Absent in gateways before 0.2. */
  commandNo: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
  /** Kinds of field tests this gateway takes (`field.ts`). Absent in gateways before 0.2, which take none. */
  fieldKinds: Type.Optional(FieldKindNames),
  /** Kinds of commands this gateway takes; absent in gateways that know `restartDevice` alone. */
  commandKinds: Type.Optional(Type.Array(Type.String({ maxLength: 32 }), { maxItems: 64 })),
  /** X25519 key for which the hub seals secrets; absent in gateways that cannot open any. */
  sealKey: Type.Optional(Base64Url(32)),
  clockQuality: Type.Optional(ClockQualityName),
  software: Type.String({ maxLength: 64 }),
  wallMs: Type.Number(),
});
export type HelloBody = Static<typeof HelloBody>;

export const Hello = Type.Object({ type: Type.Literal("hello"), body: HelloBody, signature: Base64Url(64) });
export const Heartbeat = Type.Object({ type: Type.Literal("hb"), wallMs: Type.Number() });
export const StatusReport = Type.Object({ type: Type.Literal("status"), status: GatewayStatus });
export const ManifestApplied = Type.Object({
  type: Type.Literal("manifestApplied"),
  rev: Type.Integer({ minimum: 1, maximum: 0x7fff_ffff }),
});
export const ManifestRefused = Type.Object({
  type: Type.Literal("manifestRefused"),
  rev: ManifestRev,
  code: Type.String({ maxLength: 64 }),
  message: Type.String({ maxLength: 2_000 }),
});

export const UplinkMessage = Type.Union([
  Hello,
  Heartbeat,
  StatusReport,
  ManifestApplied,
  ManifestRefused,
  FieldAnswer,
]);
export type UplinkMessage = Static<typeof UplinkMessage>;
