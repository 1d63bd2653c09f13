/** A rule of the delivery, broken on purpose. */
export interface Mutation {
  /** Relative to the repository. */
  file: string;
  /** Must occur exactly once. */
  needle: string;
  replacement: string;
  /**
   * How many times the usual number of seeds it may take, where a second line of defence stands behind the rule and
   * only two faults at once get past both; 1 when left out.
   */
  patience?: number;
}

/** Each of these must be noticed: a simulator that lets one pass proves nothing about the rule. */
export const MUTATIONS = {
  "ack before commit": {
    file: "server/src/ingest/intake.ts",
    needle: "const frames = fresh.map(({ frame }) => frame);",
    replacement:
      'const frames = fresh.map(({ frame }) => frame);\n      this.sink.send({ type: "ack", lane: key.lane, seg: key.seg, hwm: frames.at(-1)!.last, creditBytes: this.#credit.bytes });',
  },
  "ack beyond commit": {
    file: "server/src/ingest/intake.ts",
    needle: "const hwm = this.#marks.get(streamText(key)) ?? 0;\n    this.sink.send",
    replacement: "const hwm = (this.#marks.get(streamText(key)) ?? 0) + 1;\n    this.sink.send",
  },
  "a mark that moved is taken for a commit": {
    file: "server/src/ingest/intake.ts",
    needle: 'if (result === "moved") return await this.#reread(key);',
    replacement: "",
    // A mark moves under a session only when a younger one of the same gateway slipped past the order of hellos.
    patience: 5,
  },
  "an unknown commit is taken for a commit": {
    file: "server/src/ingest/intake.ts",
    needle: '!== "rolledBack" || attempt === INTAKE.rolledBackMax) throw thrown;',
    replacement: '!== "rolledBack") return "committed"; if (attempt === INTAKE.rolledBackMax) throw thrown;',
  },
  "poison path for a database outage": {
    file: "server/src/ingest/intake.ts",
    needle: '!== "rolledBack" || attempt === INTAKE.rolledBackMax) throw thrown;',
    replacement:
      '!== "rolledBack" || attempt === INTAKE.rolledBackMax) { frames = frames.map((frame) => ({ ...frame, kind: "quarantined" as const })); attempt = 0; await clock.sleep(1_000); }',
  },

  "numbers used again are not noticed": {
    file: "server/src/ingest/renewal.ts",
    needle: "mark.hwm > (stream.sent ?? stream.next - 1)",
    replacement: "mark.hwm < 0",
  },
  "the next number is taken from the frames on disk": {
    file: "gateway/src/outbox/memory-store.ts",
    needle: "if (of === epoch && open) this.#streams.set(streamText(stream), stream);",
    replacement:
      "if (of === epoch && open) this.#streams.set(streamText(stream), { ...stream, next: (this.#rows(stream).at(-1)?.last ?? 0) + 1 });",
  },

  "unacknowledged frames are evicted": {
    file: "gateway/src/outbox/memory-store.ts",
    needle: "row.last <= acked && row.wallMs < beforeWallMs",
    replacement: "row.wallMs < beforeWallMs",
  },
  "frames in flight are thinned and dropped": {
    file: "gateway/src/outbox/room.ts",
    needle: "Math.max(stream.maxSent, stream.acked)",
    replacement: "stream.acked",
  },
  "sending is not noted before it happens": {
    file: "gateway/src/outbox/engine.ts",
    needle: "this.store.markSent(key, last);",
    replacement: "",
  },
  "other bytes on a retry": {
    file: "gateway/src/outbox/engine.ts",
    needle: "joinEnvelope(rows.map((row) => row.body))",
    replacement:
      "joinEnvelope(rows.map((row) => { const { header, body } = readFrame(row.body); return sealFrame({ ...header, monoMs: at.monoMs }, body); }))",
  },
  "blind renewal of the epoch": {
    file: "gateway/src/outbox/renew.ts",
    needle: "crcOf.get(row.first) === row.crc",
    replacement: "crcOf.get(row.first) === -1",
  },
  "a dropped range leaves a gap that does not tell how much": {
    file: "gateway/src/outbox/room.ts",
    needle: "const n = heads.reduce((sum, head) => sum + head.n, 0);",
    replacement: "const n = 0;",
  },
  "a dropped range leaves a gap over its last number only": {
    file: "gateway/src/outbox/room.ts",
    needle: "first: heads[0]!.first, last: heads.at(-1)!.last },",
    replacement: "first: heads.at(-1)!.last, last: heads.at(-1)!.last },",
  },
  "the quota is not looked at": {
    file: "gateway/src/outbox/room.ts",
    needle: "if (used <= ROOM.thinShare) return;",
    replacement: "if (used > 0) return;",
  },
  "the ring is emptied before the disk has it": {
    file: "gateway/src/outbox/engine.ts",
    needle:
      "if (all.length === 0 || !this.#attempt(at, () => this.#write(waiting, all, at))) continue;\n      this.#ring.clear(waiting);",
    replacement:
      "if (all.length === 0) continue;\n      this.#ring.clear(waiting);\n      if (!this.#attempt(at, () => this.#write(waiting, all, at))) continue;",
  },

  "a refused envelope is not sent again": {
    file: "gateway/src/uplink/lanes.ts",
    needle: "sentSeq: hwm,\n    inFlight: [],",
    replacement: "sentSeq: lane.sentSeq,\n    inFlight: [],",
  },
  "a command is carried out before it is recorded": {
    file: "gateway/src/commands/desk.ts",
    needle: "await this.#keep(command, null);",
    replacement:
      "const early = await this.#run(command.body); await this.#keep(command, early.outcome); if (early) return this.#tell(command, early.outcome, early.message);",
  },
  "a known command is taken again": {
    file: "gateway/src/commands/admit.ts",
    needle:
      'if (before) return { do: "repeat", outcome: before.outcome ?? "unknown" };\n  if (command.commandNo <= known.highestNo) return { do: "stale" };',
    replacement: 'if (before?.commandId === "") return { do: "stale" };',
  },
} as const satisfies Record<string, Mutation>;

export type MutationName = keyof typeof MUTATIONS;
