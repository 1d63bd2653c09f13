import { type Static, Type } from "@sinclair/typebox";
import { Name } from "./id.ts";
import { DataType } from "./value.ts";
import { WriteRules } from "./write.ts";

/** Name of a class of tags whose history is kept equally long. */
export const RetentionClassName = Type.String({
  pattern: "^[a-z][a-z0-9-]{0,31}$",
  description: "Lower-case letters, digits and hyphens",
  examples: ["standard"],
});
export type RetentionClassName = Static<typeof RetentionClassName>;

/** The class of tags that name none. */
export const RETENTION_STANDARD = "standard";

/** Linear scaling: engineering value = raw × factor + offset. */
export const Scale = Type.Object({ factor: Type.Number(), offset: Type.Number({ default: 0 }) });
export type Scale = Static<typeof Scale>;

/** How a value goes on between two samples: it stands until the next (`step`), or moves to it (`linear`). */
export const Interpolation = Type.Union([Type.Literal("step"), Type.Literal("linear")]);
export type Interpolation = Static<typeof Interpolation>;

/** What a tag does when nobody said otherwise: measured values move, everything else stands until it changes. */
export const interpolationOf = (dataType: DataType): Interpolation =>
  dataType === "float32" || dataType === "float64" ? "linear" : "step";

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
    interpolation: Type.Optional(Interpolation),
    retention: Type.Optional(RetentionClassName),
    write: Type.Optional(WriteRules),
  }),
  Type.Partial(TagNumbers),
]);
export type ProfileTag = Static<typeof ProfileTag>;

export const TAG_DEFAULTS = { scanMs: 1_000, heartbeatMs: 10_000, deadband: 0 } as const;

/** A value is live while its age stays within this; older is stale (state grammar, `ux.md` 1.4). */
export const staleAfterMs = (heartbeatMs: number): number => Math.max(3 * heartbeatMs, 10_000);
