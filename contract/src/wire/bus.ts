import { type Static, Type } from "@sinclair/typebox";
import { LinkState } from "../vocabulary/gateway.ts";
import { EntityId } from "../vocabulary/id.ts";
import { LIMITS } from "./limits.ts";

/** What the bus doctor of a gateway says: figures of each connection and unit, and what is wrong with the setting to change. */

/** The last quarter of an hour and a little more, or since the counters began. */
export const BusWindow = Type.Union([Type.Literal("quarter"), Type.Literal("start")]);
export type BusWindow = Static<typeof BusWindow>;

/** `fault`: values are missing. `warn`: values come late or may soon be missing. `hint`: it works, and could work better. */
export const BusLevel = Type.Union([Type.Literal("fault"), Type.Literal("warn"), Type.Literal("hint")]);
export type BusLevel = Static<typeof BusLevel>;

/** A cause, for the person who can change something. */
export const BusFinding = Type.Object({
  kind: Type.String({ maxLength: 64, examples: ["timeout.tight"] }),
  level: BusLevel,
  /** What was seen, with figures, and what to do. */
  words: Type.String({ maxLength: 700 }),
  setting: Type.String({
    maxLength: 64,
    description: "Setting of the device to change; empty where it is none of ours",
    examples: ["timeoutMs"],
  }),
  units: Type.Array(Type.Integer({ minimum: 0, maximum: 255 }), {
    maxItems: LIMITS.busNamesMax,
    description: "Units it is about, at most so many; empty for the whole connection",
  }),
});
export type BusFinding = Static<typeof BusFinding>;

/** Upper ends of the bands of answer times, ms; the last band has none. */
export const BUS_BANDS_MS = [4, 16, 64, 256, 1_024, 4_096] as const;

const Count = Type.Integer({ minimum: 0 });
const Share = Type.Number({ minimum: 0, description: "0 to 1" });
const Ms = Type.Union([Type.Number({ minimum: 0 }), Type.Null()]);

/** Figures of one unit; of the whole connection where a protocol has no units. */
export const BusUnit = Type.Object({
  unit: Type.Union([Type.Integer({ minimum: 0, maximum: 255 }), Type.Null()]),
  devices: Type.Array(Type.Object({ deviceId: EntityId, name: Type.String({ maxLength: 200 }) }), {
    maxItems: LIMITS.busNamesMax,
    description: "Devices that are read at it; none for a unit that only a test asked",
  }),
  scanMs: Type.Union([Type.Integer(), Type.Null()], { description: "Shortest scan of these devices" }),
  cycles: Count,
  missed: Count,
  requests: Count,
  answers: Count,
  timeouts: Count,
  /** Answers to questions nobody asked. */
  wrongIds: Count,
  /** Answers that did not fit their question. */
  garbled: Count,
  /** Answers that came after their request had been given up. */
  late: Count,
  /** Requests that followed a failed one. */
  retries: Count,
  exceptions: Type.Array(Type.Object({ code: Type.String({ maxLength: 64 }), count: Count }), {
    maxItems: LIMITS.busCodesMax,
    description: "Refusals by the code the protocol has for them, most frequent first",
  }),
  p50Ms: Ms,
  p95Ms: Ms,
  maxMs: Ms,
  bands: Type.Array(Count, { maxItems: BUS_BANDS_MS.length + 1, description: "Answers by `BUS_BANDS_MS`" }),
  busyShare: Share,
});
export type BusUnit = Static<typeof BusUnit>;

export const BusConnection = Type.Object({
  endpoint: Type.String({ maxLength: 600, description: "What tells it from the others" }),
  driver: Type.String({ maxLength: 32 }),
  linkState: LinkState,
  /** Error code and sentence while it is down. */
  code: Type.String({ maxLength: 64 }),
  reason: Type.String({ maxLength: 500 }),
  fromMs: Type.Number({ description: "When the figures below begin, ms UTC" }),
  countedSinceMs: Type.Number({ description: "When the counters began, ms UTC" }),
  reconnects: Count,
  /** Attempts to connect that failed. */
  failedTries: Count,
  busyShare: Share,
  messages: Type.Optional(
    Type.Object(
      { count: Count, unreadable: Count, lastMs: Ms },
      {
        description:
          "Of messages that come by themselves; `lastMs` ms UTC. Left out where values are asked for",
      },
    ),
  ),
  units: Type.Array(BusUnit, { maxItems: LIMITS.busUnitsMax }),
  unitsLeft: Count,
  /** The most urgent first. */
  findings: Type.Array(BusFinding, { maxItems: LIMITS.busFindingsMax }),
});
export type BusConnection = Static<typeof BusConnection>;

export const BusReport = Type.Object({
  nowMs: Type.Number(),
  window: BusWindow,
  /** Those with the most urgent findings first. */
  connections: Type.Array(BusConnection, { maxItems: LIMITS.busConnectionsMax }),
  connectionsLeft: Type.Integer({ minimum: 0, description: "Connections that did not fit" }),
});
export type BusReport = Static<typeof BusReport>;
