import { type Static, Type } from "@sinclair/typebox";
import { Name } from "./id.ts";
import { DataType } from "./value.ts";

/** Linear scaling: engineering value = raw × factor + offset. */
export const Scale = Type.Object({ factor: Type.Number(), offset: Type.Number({ default: 0 }) });
export type Scale = Static<typeof Scale>;

/** Engineering range. A value outside is kept and marked uncertain. */
export const Range = Type.Object({ low: Type.Number(), high: Type.Number() });
export type Range = Static<typeof Range>;

/** How often a tag is read and what change is worth a sample. */
export const TagNumbers = Type.Object({
  scanMs: Type.Integer({ minimum: 50, maximum: 3_600_000, description: "Interval between two readings" }),
  heartbeatMs: Type.Integer({
    minimum: 1_000,
    maximum: 86_400_000,
    description: "A sample is sent at least this often, changed or not; the tag counts as stale after three",
  }),
  deadband: Type.Number({
    minimum: 0,
    description: "Smallest change, in engineering units, that is worth a sample",
  }),
  scale: Type.Optional(Scale),
  range: Type.Optional(Range),
});
export type TagNumbers = Static<typeof TagNumbers>;

/** A tag as a profile declares it. What is left out is inherited: from the profile, else from `TAG_DEFAULTS`. */
export const ProfileTag = Type.Composite([
  Type.Object({
    name: Name,
    address: Type.String({ minLength: 1, maxLength: 500 }),
    dataType: DataType,
    unit: Type.Optional(Type.String({ maxLength: 32 })),
    description: Type.Optional(Type.String({ maxLength: 500 })),
  }),
  Type.Partial(TagNumbers),
]);
export type ProfileTag = Static<typeof ProfileTag>;

export const TAG_DEFAULTS = { scanMs: 1_000, heartbeatMs: 10_000, deadband: 0 } as const;

/** A value is live while its age stays within this; older is stale (state grammar, `ux.md` 1.4). */
export const staleAfterMs = (heartbeatMs: number): number => Math.max(3 * heartbeatMs, 10_000);
