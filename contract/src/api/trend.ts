import { type Static, Type } from "@sinclair/typebox";
import { EntityId, Name, TagNo } from "../vocabulary/id.ts";
import { Instant } from "./page.ts";

/** Pens one chart can hold and still be told apart. */
export const PENS_MAX = 8;

export const TrendPen = Type.Object({
  tagNo: TagNo,
  /** Place in the palette of pens, 0 to 7; it decides colour and dash pattern together. */
  style: Type.Integer({ minimum: 0, maximum: PENS_MAX - 1 }),
  /** Fixed limits of its axis; left out, the axis fits the data. */
  low: Type.Optional(Type.Number()),
  high: Type.Optional(Type.Number()),
  hidden: Type.Optional(Type.Boolean()),
});
export type TrendPen = Static<typeof TrendPen>;

/** What a saved view shows. A fixed range, or a length that ends now. */
/** One second to a hundred years. */
const Stretch = Type.Integer({ minimum: 1_000, maximum: 100 * 366 * 86_400_000 });

export const TrendRange = Type.Union([
  Type.Object({ kind: Type.Literal("live"), lengthMs: Stretch }),
  Type.Object({ kind: Type.Literal("fixed"), from: Instant, to: Instant }),
]);
export type TrendRange = Static<typeof TrendRange>;

export const TrendViewCreate = Type.Object({
  name: Name,
  pens: Type.Array(TrendPen, { minItems: 1, maxItems: PENS_MAX }),
  range: TrendRange,
  /** One axis for all pens of a unit, or a lane for each pen. */
  layout: Type.Union([Type.Literal("shared"), Type.Literal("stacked")]),
  /** How far back the second, paler line of each pen lies; null for none. */
  compareMs: Type.Union([Stretch, Type.Null()]),
});
export type TrendViewCreate = Static<typeof TrendViewCreate>;
export const TrendView = Type.Composite([
  TrendViewCreate,
  Type.Object({ id: EntityId, revision: Type.Integer({ minimum: 1 }), author: Type.String() }),
]);
export type TrendView = Static<typeof TrendView>;

/** A note at a time or a stretch of time, for one tag or for all. */
export const AnnotationCreate = Type.Object({
  from: Instant,
  to: Type.Union([Instant, Type.Null()]),
  tagNo: Type.Union([TagNo, Type.Null()]),
  text: Type.String({ minLength: 1, maxLength: 1_000 }),
});
export type AnnotationCreate = Static<typeof AnnotationCreate>;
export const Annotation = Type.Composite([
  AnnotationCreate,
  Type.Object({ id: EntityId, author: Type.String(), createdAt: Instant }),
]);
export type Annotation = Static<typeof Annotation>;
