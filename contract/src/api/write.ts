import { type Static, Type } from "@sinclair/typebox";
import { EntityId, TagNo } from "../vocabulary/id.ts";
import { JsonValue } from "../vocabulary/value.ts";
import { WriteClass } from "../vocabulary/write.ts";
import { CommandOutcome } from "../wire/command.ts";
import { Instant, Page, PageQuery } from "./page.ts";

/** How long a choice counts, in ms; one that needs a second person has longer. */
export const SELECTION_MS = { own: 60_000, withSecond: 5 * 60_000 } as const;
/** How long the answer to carrying it out waits for the machine, in ms; what comes later is asked for. */
export const WRITE_ANSWER_MS = 3_000;
/** Most writes one answer lists. */
export const WRITES_SHOWN_MAX = 50;

/** `POST /api/v1/tags/:tagNo/writes`: the value, in engineering units. */
export const WriteSelect = Type.Object(
  { value: JsonValue },
  { additionalProperties: false, examples: [{ value: 61.5 }] },
);
export type WriteSelect = Static<typeof WriteSelect>;

/**
 * `selected`: it may be carried out. `lapsed`: it was not, in time. From `sent` on as a command's: `unknown` means that
 * it may have been written, and that somebody should look at the machine.
 */
export const WriteState = Type.Union([
  Type.Literal("selected"),
  Type.Literal("lapsed"),
  Type.Literal("sent"),
  ...CommandOutcome.anyOf,
]);
export type WriteState = Static<typeof WriteState>;

const OrNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);
const TextOrNull = OrNull(Type.String());

/** What became of a momentary value that outlived its press: the gateway had ended, or the machine was away. */
export const WriteRelease = Type.Object({
  /** False: it may still be held, and is not taken back any more. */
  taken: Type.Boolean(),
  at: Instant,
  /** What the gateway told, as a sentence. */
  message: Type.String(),
});

/** One write to a tag, from the choice to what the machine holds. */
export const TagWrite = Type.Object({
  id: EntityId,
  tagNo: TagNo,
  path: Type.String(),
  unit: Type.String(),
  class: WriteClass,
  value: JsonValue,
  /** What was there when it was chosen; the gateway writes over nothing else. */
  expected: JsonValue,
  selectedBy: Type.String(),
  selectedAt: Instant,
  /** Until then it may be carried out. */
  expiresAt: Instant,
  /** The second person; null where none is needed or none has agreed. */
  agreedBy: TextOrNull,
  state: WriteState,
  /** What the gateway told, as a sentence; empty before. */
  message: Type.String(),
  /** Code of a failure; empty when there is none. */
  code: Type.String(),
  /** As read from the machine, right before and after; null where it was not. */
  before: JsonValue,
  after: JsonValue,
  /** Who at the machine had armed writing; null where nobody had. */
  armedBy: TextOrNull,
  sentAt: OrNull(Instant),
  answeredAt: OrNull(Instant),
  /** Of a momentary write that was not taken back in time; null of any other. */
  release: OrNull(WriteRelease),
});
export type TagWrite = Static<typeof TagWrite>;

export const TagWrites = Type.Object({ items: Type.Array(TagWrite, { maxItems: WRITES_SHOWN_MAX }) });
export type TagWrites = Static<typeof TagWrites>;

/** `GET /api/v1/devices/:id/writes`: those to all tags of a device, the latest first, a page at a time. */
export const WritesOfDevice = Page(TagWrite);
export type WritesOfDevice = Static<typeof WritesOfDevice>;
/**
 * What became of a write, as somebody looks for it. `refused`: not done, for a cause that is told. `expired`: too late.
 * `unknown`: it may have been written. `pending`: not carried out yet, or not answered yet.
 */
export const WriteResult = Type.Union([
  Type.Literal("done"),
  Type.Literal("refused"),
  Type.Literal("expired"),
  Type.Literal("unknown"),
  Type.Literal("pending"),
]);
export type WriteResult = Static<typeof WriteResult>;
export const WritesQuery = Type.Composite([
  Type.Pick(PageQuery, ["cursor"]),
  Type.Object({
    result: Type.Optional(WriteResult),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: WRITES_SHOWN_MAX })),
  }),
]);
export type WritesQuery = Static<typeof WritesQuery>;

/** What somebody at the machine has switched, as the gateway told last; null where it does not say. */
export const WriteGate = Type.Object({
  connected: Type.Boolean(),
  lockedOut: OrNull(Type.Boolean()),
  /** Somebody at the machine must arm writing for this tag. */
  needsArming: Type.Boolean(),
  armedUntil: OrNull(Instant),
});
export type WriteGate = Static<typeof WriteGate>;

/** `GET /api/v1/tags/:tagNo/writes`: the newest, the latest first, and how its gateway stands to them. */
export const WritesOfTag = Type.Composite([TagWrites, Type.Object({ gate: WriteGate })]);
export type WritesOfTag = Static<typeof WritesOfTag>;
