import { type Static, Type } from "@sinclair/typebox";
import { Instant, PageQuery } from "./page.ts";

/** What made a request, as it says of itself: a hint for the reader, never a proof. */
export const AUDIT_CLIENTS = ["browser", "mobile", "commandLine", "program", "unknown"] as const;
export const AuditClient = Type.Unsafe<(typeof AUDIT_CLIENTS)[number]>(
  Type.Union(AUDIT_CLIENTS.map((client) => Type.Literal(client))),
);
export type AuditClient = (typeof AUDIT_CLIENTS)[number];

/** Where a change was asked for from. */
export const AuditFrom = Type.Object({
  /** The network peer, or whom a proxy named in the settings forwards for. `unknown` when there was no socket. */
  address: Type.String({ maxLength: 64, examples: ["10.20.0.17"] }),
  client: AuditClient,
});
export type AuditFrom = Static<typeof AuditFrom>;

const Facts = Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]);

/** One fact of the audit: who, when, what, old, new, from where. */
export const AuditEntry = Type.Object({
  /** Counts from 1 without holes. */
  no: Type.Integer({ minimum: 1 }),
  at: Instant,
  who: Type.String({ examples: ["person:01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55", "hub:retention"] }),
  /** The name `who` has now; null when it is gone, or for the hub itself. */
  whoName: Type.Union([Type.String(), Type.Null()]),
  action: Type.String({ examples: ["device.edit"] }),
  subject: Type.String({ examples: ["device:01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55"] }),
  /** The name or path `subject` has now; null when it is gone or has none. */
  subjectName: Type.Union([Type.String(), Type.Null()]),
  /** Null for what the hub did by itself, and for rows older than this column. */
  from: Type.Union([AuditFrom, Type.Null()]),
  /** Null for something that was made. */
  old: Facts,
  /** Null for something that was removed. */
  new: Facts,
  /** SHA-256 over this row and the hash of the one before, hex. */
  hash: Type.String({ pattern: "^[0-9a-f]{64}$" }),
});
export type AuditEntry = Static<typeof AuditEntry>;

const Filter = (what: string, examples: string[]) =>
  Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 200,
      description: `${what}, exactly; with a * at its end, everything that begins so`,
      examples,
    }),
  );

/** `GET /api/v1/audit`: the latest first. */
export const AuditQuery = Type.Object({
  from: Type.Optional(Instant),
  to: Type.Optional(Instant),
  who: Filter("Who did it", ["person:01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55", "gateway:*"]),
  action: Filter("What was done", ["device.edit", "retention.*"]),
  subject: Filter("What it was done to", ["device:*"]),
  ...PageQuery.properties,
});
export type AuditQuery = Static<typeof AuditQuery>;

/** `ndjson` is what can be verified without the hub, `csv` is for reading. */
export const AuditExportFormat = Type.Union([Type.Literal("ndjson"), Type.Literal("csv")], {
  default: "ndjson",
});
export type AuditExportFormat = Static<typeof AuditExportFormat>;

/** `GET /api/v1/audit/export` */
export const AuditExportQuery = Type.Object({ format: Type.Optional(AuditExportFormat) });

/**
 * Why a chain does not hold.
 *
 * - `row.changed`: what the row says is not what its hash was made of
 * - `row.missing`: this number is not there, later ones are
 * - `row.order`: the row does not follow the one before it: rows were swapped, taken out and renumbered, or put in
 * - `row.unreadable`: a line of an exported file that is no row
 * - `end.missing`: an anchor saw this row, and now the chain ends before it
 * - `anchor.differs`: the row is not the one an anchor saw: the chain was written anew
 * - `anchor.signature`: an anchor whose signature is not of the key it names
 * - `anchor.key`: an anchor that was signed with a key this hub does not know
 */
export const AUDIT_BREAKS = [
  "row.changed",
  "row.missing",
  "row.order",
  "row.unreadable",
  "end.missing",
  "anchor.differs",
  "anchor.signature",
  "anchor.key",
] as const;
export const AuditBreak = Type.Unsafe<(typeof AUDIT_BREAKS)[number]>(
  Type.Union(AUDIT_BREAKS.map((why) => Type.Literal(why))),
);
export type AuditBreak = (typeof AUDIT_BREAKS)[number];

/** `GET /api/v1/audit/verify`: the whole chain, walked from its first row. */
export const AuditVerdict = Type.Object({
  ok: Type.Boolean(),
  /** Rows that hold, from the first one on. */
  rows: Type.Integer({ minimum: 0 }),
  firstBroken: Type.Optional(Type.Object({ no: Type.Integer({ minimum: 1 }), why: AuditBreak })),
  /** Signed anchors that were compared. */
  anchors: Type.Integer({ minimum: 0 }),
  /** Rows after the newest anchor could be cut off without a trace. Null when there is no anchor yet. */
  newestAnchor: Type.Union([Type.Object({ no: Type.Integer({ minimum: 1 }), at: Instant }), Type.Null()]),
});
export type AuditVerdict = Static<typeof AuditVerdict>;

/** `GET /api/v1/audit/state`: whether the audit can be written and holds, as far as the hub knows without walking it again. */
export const AuditState = Type.Object({
  /** Since when no entry can be written, and so nothing can be changed; null while it can. */
  unwritableSince: Type.Union([Instant, Type.Null()]),
  /** Sign-ins and refusals that could not be kept since the hub started. */
  lost: Type.Integer({ minimum: 0 }),
  /** Entries there are, as of some seconds ago; null before the first look. */
  rows: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
  /** What the hub's own daily look found; null before the first one. */
  checked: Type.Union([
    Type.Object({
      at: Instant,
      /** Entries that hold, from the first one on. */
      rows: Type.Integer({ minimum: 0 }),
      /** The first entry that does not hold; null when all do. */
      brokenNo: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()]),
      why: Type.Union([AuditBreak, Type.Null()]),
    }),
    Type.Null(),
  ]),
  /** What the audit takes in the database; null before the first look. */
  bytes: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
  /** Free bytes of the database's disk; null when that is another machine's. */
  diskFreeBytes: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
  /** Why room for the audit may run out: its own size, or the disk. */
  storageWarning: Type.Union([Type.Literal("size"), Type.Literal("disk"), Type.Null()]),
  /** Somebody tries claim tokens: since when, and how many were wrong. Null when an hour was quiet. */
  guessing: Type.Union([Type.Object({ since: Instant, count: Type.Integer({ minimum: 1 }) }), Type.Null()]),
});
export type AuditState = Static<typeof AuditState>;
