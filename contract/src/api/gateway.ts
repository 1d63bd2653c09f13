import { type Static, Type } from "@sinclair/typebox";
import { ClockQualityName, GatewayStatus, LinkState } from "../vocabulary/gateway.ts";
import { EntityId, Name } from "../vocabulary/id.ts";
import { Instant, PageQuery } from "./page.ts";

const InstantOrNull = Type.Union([Instant, Type.Null()]);
const TextOrNull = Type.Union([Type.String(), Type.Null()]);

export const GatewayCreate = Type.Object({ name: Name, siteId: EntityId });
export type GatewayCreate = Static<typeof GatewayCreate>;

export const LABELS = {
  perGatewayMax: 20,
  charsMax: 40,
  /** Labels one filter may ask for at once. */
  filteredMax: 8,
} as const;

/** A word by which people group gateways: "hall 3", "pilot", "eu". */
export const Label = Type.String({
  minLength: 1,
  maxLength: LABELS.charsMax,
  pattern: "^[^\\s,\\u0000-\\u001f\\u007f]([^,\\u0000-\\u001f\\u007f]*[^\\s,\\u0000-\\u001f\\u007f])?$",
  description: `1 to ${LABELS.charsMax} characters without commas and control characters, no blank at either end`,
});

/** `PUT /api/v1/gateways/:id/labels`: all labels the gateway has from now on. Needs If-Match. */
export const GatewayLabels = Type.Object({
  labels: Type.Array(Label, { maxItems: LABELS.perGatewayMax }),
});
export type GatewayLabels = Static<typeof GatewayLabels>;

export const GatewayQuery = Type.Object({
  label: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: LABELS.filteredMax * (LABELS.charsMax + 1),
      description: "Only gateways with this label; several with commas between: only those with all of them",
      examples: ["hall 3,pilot"],
    }),
  ),
  ...PageQuery.properties,
});
export type GatewayQuery = Static<typeof GatewayQuery>;

export const Gateway = Type.Object({
  id: EntityId,
  name: Name,
  siteId: EntityId,
  /** `unclaimed`: made at the hub, no machine yet. `revoked`: its key is no longer taken. */
  enrolment: Type.Union([Type.Literal("unclaimed"), Type.Literal("enrolled"), Type.Literal("revoked")]),
  linkState: LinkState,
  linkSince: InstantOrNull,
  lastSeen: InstantOrNull,
  fingerprint: TextOrNull,
  manifestWanted: Type.Integer({ minimum: 0 }),
  manifestRunning: Type.Integer({ minimum: 0 }),
  /** Why the last manifest was refused; null when it was not. */
  manifestError: TextOrNull,
  /** Since when two machines are believed to use this identity; neither is let in. Null: no such doubt. */
  cloned: Type.Optional(InstantOrNull),
  /** True while the gateway brings again what this hub lost when it was restored from a backup. */
  restoring: Type.Optional(Type.Boolean()),
  /** Number of the manifest the gateway runs when this hub never made it; nothing is offered until a person confirms. */
  manifestHeld: Type.Optional(Type.Union([Type.Integer({ minimum: 1 }), Type.Null()])),
  /** What stands behind the gateway's clock, as it reported last; null until it did. */
  clock: Type.Optional(Type.Union([ClockQualityName, Type.Null()])),
  /** Sorted, each once. */
  labels: Type.Optional(Type.Array(Type.String())),
  /** Of what people edit here; the ETag of GET and the If-Match of PUT. */
  revision: Type.Optional(Type.Integer({ minimum: 1 })),
  tagCount: Type.Integer({ minimum: 0 }),
  deviceCount: Type.Integer({ minimum: 0 }),
  /** Last health report; null until one came. Device links are inside. */
  status: Type.Union([GatewayStatus, Type.Null()]),
});
export type Gateway = Static<typeof Gateway>;
