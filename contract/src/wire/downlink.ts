import { type Static, Type } from "@sinclair/typebox";
import { Base64Url, EntityId } from "../vocabulary/id.ts";
import { Command } from "./command.ts";
import { FieldCancel, FieldRequest } from "./field.ts";
import { LIMITS } from "./limits.ts";
import { SignedManifest } from "./manifest.ts";
import { Seq, StreamKey } from "./stream.ts";

/** Text messages hub → gateway, in the order of a session: challenge, (hello), welcome, then the rest. */

export const Challenge = Type.Object({
  type: Type.Literal("challenge"),
  nonce: Base64Url(32),
  hubId: EntityId,
  hubTimeMs: Type.Number(),
  protocols: Type.Array(Type.Integer({ minimum: 1 }), { minItems: 1, maxItems: 16 }),
});

const Credit = Type.Integer({ minimum: 0, description: "Bytes that may be unacknowledged; 0 is a pause" });

export const Welcome = Type.Object({
  type: Type.Literal("welcome"),
  sessionId: EntityId,
  /** High-water mark the hub has committed, for each stream the hello listed. */
  streams: Type.Array(Type.Composite([StreamKey, Type.Object({ hwm: Seq })]), {
    maxItems: LIMITS.streamsMax,
  }),
  creditBytes: Credit,
  heartbeatMs: Type.Integer({ minimum: 1_000 }),
  manifestRev: Type.Integer({ minimum: 0 }),
  hubTimeMs: Type.Number(),
});

/** Everything up to and including `hwm` is committed at the hub. Cumulative. */
export const Ack = Type.Composite([
  Type.Object({ type: Type.Literal("ack") }),
  StreamKey,
  Type.Object({ hwm: Seq, creditBytes: Credit }),
]);

/** The envelope was not applied. `expected` is the next sequence number the hub will take. */
export const Nack = Type.Composite([
  Type.Object({ type: Type.Literal("nack") }),
  StreamKey,
  Type.Object({
    seq: Seq,
    expected: Seq,
    code: Type.Union([
      Type.Literal("frame.gap"),
      Type.Literal("frame.garbled"),
      Type.Literal("frame.tooLarge"),
      Type.Literal("uplink.busy"),
    ]),
    creditBytes: Credit,
  }),
]);

export const HubHeartbeat = Type.Object({ type: Type.Literal("hb"), hubTimeMs: Type.Number() });

/** The hub ends the session and says why; `retryAfterMs` is obeyed. */
export const Bye = Type.Object({
  type: Type.Literal("bye"),
  code: Type.String({ maxLength: 64 }),
  message: Type.String({ maxLength: 2_000 }),
  retryAfterMs: Type.Integer({ minimum: 0 }),
});

export const ManifestOffer = Type.Object({ type: Type.Literal("manifest"), signed: SignedManifest });

/**
 * Instead of a welcome: this gateway would use numbers again, since it was restored from an old image. It moves what it
 * still has to send to the new epoch, leaves out what the hub names as known, and connects anew.
 */
export const RenewEpoch = Type.Object({
  type: Type.Literal("renewEpoch"),
  epoch: Type.Integer({ minimum: 1, maximum: 0xffff_ffff }),
  /**
   * Of each stream of the hello: `from`, up to which the hub has everything (below what was acknowledged when the hub
   * was set back too), and the frames after it that the hub has (`known-frames.ts`).
   */
  streams: Type.Array(
    Type.Composite([StreamKey, Type.Object({ from: Type.Optional(Seq), known: Type.String() })]),
    {
      maxItems: LIMITS.streamsMax,
    },
  ),
});

/** `signature` is the hub's over `commandText`; hubs before 0.2 send none, and then nothing is written to a machine. */
export const CommandOffer = Type.Object({
  type: Type.Literal("command"),
  command: Command,
  signature: Type.Optional(Base64Url(64)),
});
export type CommandOffer = Static<typeof CommandOffer>;

export const DownlinkMessage = Type.Union([
  Challenge,
  Welcome,
  RenewEpoch,
  Ack,
  Nack,
  HubHeartbeat,
  Bye,
  ManifestOffer,
  CommandOffer,
  FieldRequest,
  FieldCancel,
]);
export type DownlinkMessage = Static<typeof DownlinkMessage>;
