import { type Static, Type } from "@sinclair/typebox";

/**
 * Why a minute is missing. Each missing minute has exactly one cause; the first that fits counts, in this order:
 *
 * - `deviceOff`: only bad samples came
 * - `overflow`, `quarantine`, `corrupt`, `hubRestore`: the minute touches a gap with that cause
 * - `stillArriving`: the gateway holds unsent data that reaches back so far, or its link has been down since
 * - `gatewayOff`: everything arrived, and of this minute there was nothing; `deviceOff` again where the device is
 *   switched off in the hub, so that no gateway reads it
 */
export const COMPLETENESS_CAUSES = [
  "deviceOff",
  "overflow",
  "quarantine",
  "corrupt",
  "hubRestore",
  "stillArriving",
  "gatewayOff",
] as const;
export const CompletenessCause = Type.Unsafe<(typeof COMPLETENESS_CAUSES)[number]>(
  Type.Union(COMPLETENESS_CAUSES.map((cause) => Type.Literal(cause))),
);
export type CompletenessCause = (typeof COMPLETENESS_CAUSES)[number];

/** A day of the calendar, e.g. `2026-11-23`. */
export const Day = Type.String({
  pattern: "^\\d{4}-\\d\\d-\\d\\d$",
  description: "Day of the calendar",
  examples: ["2026-11-23"],
});

const Minutes = Type.Integer({ minimum: 0 });

export const CompletenessDay = Type.Object({
  day: Day,
  /** Minutes of all tags together in which a sample was due. */
  expected: Minutes,
  /** Of these, minutes with a sample that is not bad. */
  received: Minutes,
  missing: Minutes,
  /** received / expected, 0 to 1; null when nothing was due. */
  share: Type.Union([Type.Number({ minimum: 0, maximum: 1 }), Type.Null()]),
  /** Of the received ones, minutes of which only one-minute figures are left (the gateway's buffer was nearly full). */
  thinned: Minutes,
  causes: Type.Object({
    deviceOff: Minutes,
    overflow: Minutes,
    quarantine: Minutes,
    corrupt: Minutes,
    hubRestore: Minutes,
    stillArriving: Minutes,
    gatewayOff: Minutes,
  }),
});
export type CompletenessDay = Static<typeof CompletenessDay>;

/** [from, to) in whole minutes, as ISO instants. */
export const MissingStretch = Type.Object({
  from: Type.String(),
  to: Type.String(),
  cause: CompletenessCause,
});
export type MissingStretch = Static<typeof MissingStretch>;

/**
 * `GET /api/v1/completeness`: how much of what should have come did come. Tags report by exception, so a count of
 * samples says nothing; minutes are counted instead.
 *
 * - **expected**: the minutes of a day since the tag exists, up to one minute ago. A tag that is allowed to be silent
 *   for longer than a minute is counted in slots long enough for one heartbeat each.
 * - **received**: minutes (slots) with at least one sample that is not bad.
 * - **missing**: every other one, with its cause.
 */
export const Completeness = Type.Object({
  /** Local time minus UTC that the days were cut by. */
  offsetMinutes: Type.Integer(),
  /** Tags counted, with those removed meanwhile. */
  tagCount: Type.Integer({ minimum: 0 }),
  days: Type.Array(CompletenessDay),
  /** Only when a single tag was asked for, oldest first. */
  stretches: Type.Union([Type.Array(MissingStretch), Type.Null()]),
  /** True when there are more stretches than were listed. */
  stretchesCut: Type.Boolean(),
});
export type Completeness = Static<typeof Completeness>;

/** Longest range of one request. */
export const COMPLETENESS_DAYS_MAX = 92;
