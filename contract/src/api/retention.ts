import { type Static, Type } from "@sinclair/typebox";
import { RetentionClassName } from "../vocabulary/tag.ts";

const Days = (description: string) =>
  Type.Union([Type.Integer({ minimum: 1, maximum: 36_500 }), Type.Null()], {
    description: `${description}; null keeps them for ever`,
  });

/** How long the history of the tags of one class is kept. A coarser tier is kept at least as long as a finer one. */
export const RetentionClass = Type.Object({
  name: RetentionClassName,
  rawDays: Days("Days raw samples are kept"),
  minuteDays: Days("Days one-minute figures are kept"),
  hourDays: Days("Days one-hour figures are kept"),
});
export type RetentionClass = Static<typeof RetentionClass>;

/** One kind of table of the historian, with everything it takes on disk: rows, indexes, TOAST. */
export const StoreSize = Type.Object({
  store: Type.String({ examples: ["journal", "raw", "minute", "hour"] }),
  bytes: Type.Integer({ minimum: 0 }),
  /** Samples in it where that can be had in a few ms: exact in small tables, carried over from some pages in large ones. */
  samples: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
});
export type StoreSize = Static<typeof StoreSize>;

/** `GET /api/v1/historian`: what the history takes and where it leads. */
export const HistorianStatus = Type.Object({
  stores: Type.Array(StoreSize),
  /** Samples received and not compacted yet, and how long the oldest of them waits, ms. */
  waiting: Type.Object({
    samples: Type.Integer({ minimum: 0 }),
    frames: Type.Integer({ minimum: 0 }),
    oldestMs: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
  }),
  /** Samples kept aside: of tags the gateway never owned, or older than their retention. */
  stray: Type.Integer({ minimum: 0 }),
  forecast: Type.Object({
    samplesPerDay: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
    bytesPerDay: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
    /** Size once each class has reached its retention; null when something is kept for ever. */
    bytesAtRetention: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
    /** Of the disk PostgreSQL lies on; null when it is on another machine. */
    diskFreeBytes: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
    daysUntilFull: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
  }),
});
export type HistorianStatus = Static<typeof HistorianStatus>;
