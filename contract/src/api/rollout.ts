import { type Static, Type } from "@sinclair/typebox";
import { EntityId, Name } from "../vocabulary/id.ts";
import { ConfigDocument } from "./config.ts";
import { Instant } from "./page.ts";

const strict = { additionalProperties: false } as const;

/**
 * Which gateways a stage takes, of those the change reaches and that no stage before took: some by name, those with a
 * label, so many, or a share of all. What is left after the last stage makes one more.
 */
export const RolloutStage = Type.Union([
  Type.Object({ gateways: Type.Array(Name, { minItems: 1, maxItems: 1_000 }) }, strict),
  Type.Object({ label: Type.String({ minLength: 1, maxLength: 64 }) }, strict),
  Type.Object({ count: Type.Integer({ minimum: 1, maximum: 100_000 }) }, strict),
  Type.Object({ share: Type.Number({ exclusiveMinimum: 0, maximum: 1 }) }, strict),
]);
export type RolloutStage = Static<typeof RolloutStage>;

/** What must hold on a gateway for the next ones to follow. */
export const RolloutGate = Type.Object({
  observeS: Type.Integer({
    minimum: 5,
    maximum: 86_400,
    default: 60,
    description: "Seconds a gateway is watched after it runs the change",
  }),
  goodDropMax: Type.Number({
    minimum: 0,
    maximum: 1,
    default: 0.05,
    description: "How much the share of good values may fall, 0.05 = five points",
  }),
  missedRiseMax: Type.Number({
    minimum: 0,
    maximum: 1,
    default: 0.05,
    description: "How much the share of missed cycles, and that of failed requests, may rise",
  }),
  awayS: Type.Integer({
    minimum: 5,
    maximum: 86_400,
    default: 300,
    description:
      "Seconds a gateway may take until it runs the change; the first stage fails then, later ones go on",
  }),
  valuesMayJump: Type.Boolean({
    default: false,
    description:
      "A value a thousand times larger or smaller than before counts as not good, unless this says that it is meant",
  }),
});
export type RolloutGate = Static<typeof RolloutGate>;

export const RolloutCreate = Type.Composite([
  Type.Object({
    document: ConfigDocument,
    prune: Type.Optional(Type.Boolean({ default: false })),
    comment: Type.Optional(Type.String({ maxLength: 500 })),
    stages: Type.Optional(
      Type.Array(RolloutStage, { maxItems: 20, default: [{ count: 1 }, { share: 0.25 }] }),
    ),
  }),
  Type.Partial(RolloutGate),
]);
export type RolloutCreate = Static<typeof RolloutCreate>;

export const RolloutState = Type.Union([
  Type.Literal("running"),
  Type.Literal("done"),
  /** Something got worse, or a person stopped it; the configuration is the one before again. */
  Type.Literal("rolledBack"),
]);
export type RolloutState = Static<typeof RolloutState>;

export const RolloutGatewayState = Type.Union([
  Type.Literal("waiting"),
  /** The new manifest is offered and not running yet. */
  Type.Literal("offered"),
  /** It runs; its figures are being watched. */
  Type.Literal("watched"),
  Type.Literal("passed"),
  Type.Literal("failed"),
  /** It was away; it takes the change when it comes back. */
  Type.Literal("away"),
]);
export type RolloutGatewayState = Static<typeof RolloutGatewayState>;

/** How a gateway reads at one moment. Shares are 0 to 1; null when there is nothing to tell by. */
export const RolloutFigures = Type.Object({
  tags: Type.Integer({ minimum: 0 }),
  goodShare: Type.Union([Type.Number(), Type.Null()]),
  missedShare: Type.Union([Type.Number(), Type.Null()]),
  failedShare: Type.Union([Type.Number(), Type.Null()]),
});
export type RolloutFigures = Static<typeof RolloutFigures>;

export const RolloutGateway = Type.Object({
  gatewayId: EntityId,
  name: Type.String(),
  stage: Type.Integer({ minimum: 0 }),
  state: RolloutGatewayState,
  before: Type.Union([RolloutFigures, Type.Null()]),
  after: Type.Union([RolloutFigures, Type.Null()]),
  /** Why it failed or is away; empty otherwise. */
  reason: Type.String(),
});
export type RolloutGateway = Static<typeof RolloutGateway>;

export const Rollout = Type.Object({
  id: EntityId,
  version: Type.Integer({ minimum: 1 }),
  /** The version that is gone back to when it fails. */
  backTo: Type.Integer({ minimum: 0 }),
  state: RolloutState,
  stage: Type.Integer({ minimum: 0 }),
  stages: Type.Integer({ minimum: 1 }),
  comment: Type.String(),
  author: Type.String(),
  startedAt: Instant,
  endedAt: Type.Union([Instant, Type.Null()]),
  reason: Type.String(),
  gate: RolloutGate,
  gateways: Type.Array(RolloutGateway),
});
export type Rollout = Static<typeof Rollout>;
