import type { Random } from "@millrace/contract/std/clock";
import type { SQL } from "bun";
import { closeDay } from "../../src/historian/compaction/day-step.ts";
import { closeHour } from "../../src/historian/compaction/hour-step.ts";
import { compactJournal } from "../../src/historian/compaction/journal-step.ts";
import { Writers } from "../../src/historian/compaction/writers.ts";
import { Partitions } from "../../src/historian/partitions.ts";
import { checkStreams, mergeProofs } from "../../src/historian/proof/check.ts";
import { findCrcs } from "../../src/historian/proof/store.ts";
import { dayOf, HOUR_MS, hourOf } from "../../src/historian/slot.ts";
import { applyFrames, findConflict } from "../../src/ingest/apply.ts";
import { shiftAnchored } from "../../src/modules/latest/store.ts";
import { type Break, failingAt } from "./failing.ts";
import { faultsOfFigures } from "./figures.ts";
import { differenceOf, ledgerOfSent, ledgerOfStored } from "./ledger.ts";
import { applyInput, makeFrame, OFFSET_MS, type SentFrame, STREAMS, type Stream, TAGS } from "./plant.ts";

/** One plant, one database, everything by chance from one seed. */
export class CompactionRun {
  readonly #sent: SentFrame[] = [];
  readonly #next = new Map<Stream, number>(STREAMS.map((stream) => [stream, 1]));
  /** Two hubs, each with what it remembers. */
  readonly #hubs = [0, 1].map(() => ({ writers: new Writers(600_000), partitions: new Partitions() }));
  #anchored = false;
  #nowMs = Date.UTC(2026, 10, 24, 21, 58);
  /** What was done, for a failure's report. */
  readonly log: string[] = [];

  constructor(
    private readonly sql: SQL,
    private readonly random: Random,
  ) {}

  async prepare(): Promise<void> {
    const { sql } = this;
    const [from1, to1] = TAGS.gateway1;
    const [from2, to2] = TAGS.gateway2;
    await sql`INSERT INTO tag_writer SELECT x, 1 FROM generate_series(${from1}::int, ${to1}::int) x`;
    await sql`INSERT INTO tag_writer SELECT x, 2 FROM generate_series(${from2}::int, ${to2}::int) x`;
    for (const { gatewayNo, seg } of STREAMS)
      await sql`INSERT INTO uplink_stream (gateway_no, epoch, lane, seg) VALUES (${gatewayNo}, 1, 'H', ${seg})`;
    await sql`
      INSERT INTO retention_class (class_no, name, raw_days, minute_days, hour_days) VALUES (2, 'fine', 400, 400, 400)`;
    for (const [table, key] of [
      ["history", "day_no"],
      ["minute_tier", "day_no"],
      ["rollup_hour", "hour"],
    ])
      await sql.unsafe(
        `CREATE TABLE ${table}_c2 PARTITION OF ${table} FOR VALUES IN (2) PARTITION BY RANGE (${key})`,
      );
    await sql`
      INSERT INTO tag (tag_no, device_id, name, path, address, data_type, unit, description, scan_ms, heartbeat_ms, deadband)
      OVERRIDING SYSTEM VALUE
      SELECT x, gen_random_uuid(), 't' || x, 'p/' || x, '', 'float64', '', '', 1000, 60000, 0
      FROM generate_series(1, ${TAGS.all}::int) x`;
  }

  #below(n: number): number {
    return Math.floor(this.random() * n);
  }

  /** One thing that may happen. */
  async act(): Promise<void> {
    const dice = this.random();
    if (dice < 0.35) await this.#send();
    else if (dice < 0.4) await this.#sendAgain();
    else if (dice < 0.5) await this.#save();
    else if (dice < 0.6) this.#wait();
    else if (dice < 0.62) await this.#anchor();
    else if (dice < 0.64) await this.#changeClass();
    else if (dice < 0.66) await this.#note("merge proofs", mergeProofs(this.sql));
    else if (dice < 0.75) await this.#both();
    else if (dice < 0.9) await this.#note("step", this.#step(this.sql, 0));
    else await this.#brokenStep();
  }

  async #note(what: string, work: Promise<unknown>): Promise<void> {
    this.log.push(what);
    await work;
  }

  async #send(): Promise<void> {
    for (let i = 1 + this.#below(8); i > 0; i--) {
      const stream = STREAMS[this.#below(STREAMS.length)]!;
      const seq = this.#next.get(stream)!;
      const sent = makeFrame(this.random, stream, seq, this.#nowMs);
      this.#next.set(stream, sent.frame.last + 1);
      this.#sent.push(sent);
      this.log.push(`send ${stream.gatewayNo}/${stream.seg} ${seq}`);
      const result = await applyFrames(this.sql, applyInput(sent));
      if (result !== "committed") throw new Error(`a fresh frame was ${result}`);
    }
  }

  /** The same frame changes nothing and is known to be the same; another with its number is found out. */
  async #sendAgain(): Promise<void> {
    const old = this.#sent[this.#below(this.#sent.length)];
    if (old === undefined) return;
    const { gatewayNo, epoch, key } = applyInput(old);
    const { first, crc } = old.frame;
    this.log.push(`again ${gatewayNo}/${key.seg} ${first}`);
    if ((await applyFrames(this.sql, applyInput(old))) !== "moved") throw new Error("a frame came twice");
    if ((await findConflict(this.sql, gatewayNo, epoch, key, [{ first, crc }])) !== null)
      throw new Error(`frame ${first} is not known to be the same`);
    if ((await findConflict(this.sql, gatewayNo, epoch, key, [{ first, crc: crc ^ 1 }])) !== first)
      throw new Error(`another frame ${first} was not found out`);
  }

  /** Stores how far latest values and completeness reach, as their keepers do. */
  async #save(): Promise<void> {
    this.log.push("save");
    await this.sql`UPDATE uplink_stream SET latest_seq = last WHERE random() < 0.8`;
    await this.sql`
      INSERT INTO coverage_position (gateway_no, epoch, lane, seg, seq)
      SELECT gateway_no, epoch, lane, seg, last FROM uplink_stream WHERE random() < 0.8
      ON CONFLICT (gateway_no, epoch, lane, seg) DO UPDATE SET seq = excluded.seq`;
    if (this.#anchored) await this.sql`INSERT INTO coverage_boot VALUES (2, 2) ON CONFLICT DO NOTHING`;
  }

  #wait(): void {
    this.#nowMs += [60_000, 600_000, HOUR_MS, 3 * HOUR_MS][this.#below(4)]!;
    this.log.push(`it is ${new Date(this.#nowMs).toISOString()}`);
  }

  async #anchor(): Promise<void> {
    if (this.#anchored) return;
    this.log.push("anchor");
    await this.sql`
      INSERT INTO boot_clock (gateway_no, boot_no, offset_ms, quality, at)
      VALUES (2, 2, ${OFFSET_MS}::float8, 'hub', ${new Date(this.#nowMs)})`;
    await shiftAnchored(this.sql, null, 100_000);
    this.#anchored = true;
  }

  async #changeClass(): Promise<void> {
    const tagNo = 1 + this.#below(TAGS.all);
    this.log.push(`class of ${tagNo}`);
    await this.sql`
      UPDATE tag SET retention = CASE retention WHEN 'fine' THEN 'standard' ELSE 'fine' END WHERE tag_no = ${tagNo}`;
  }

  async #both(): Promise<void> {
    this.log.push("two at once");
    await Promise.all([this.#step(this.sql, 0), this.#step(this.sql, 1)]);
  }

  async #step(sql: SQL, hub: 0 | 1): Promise<void> {
    const { writers, partitions } = this.#hubs[hub]!;
    const nowMs = this.#nowMs;
    const dice = this.random();
    if (dice < 0.45) {
      const limits = { frames: 1 + this.#below(60), samples: 1 + this.#below(500), bytes: 1_000_000 };
      const gatewayNo = 1 + this.#below(2);
      this.log.push(`journal ${gatewayNo}`);
      await compactJournal(sql, { gatewayNo, nowMs, writers, limits });
    } else if (dice < 0.75) {
      const rows: { hour: number; group: number }[] = await this.sql`
        SELECT DISTINCT hour_no AS hour, group_no AS group FROM history_minutes
        WHERE hour_no < ${hourOf(nowMs)}::int ORDER BY 1, 2`;
      const hourNo = rows[this.#below(rows.length)]?.hour;
      if (hourNo === undefined) return;
      const groups = rows.filter(({ hour }) => hour === hourNo).map(({ group }) => group);
      this.log.push(`hour ${hourNo} of ${groups}`);
      await closeHour(sql, { hourNo, groups, nowMs, partitions, samplesMax: 1 + this.#below(400) });
    } else {
      const rows: { day: number; group: number }[] = await this.sql`
        SELECT DISTINCT hour_no / 24 AS day, (tag_no / 16)::int AS group FROM history_hour
        WHERE hour_no / 24 < ${dayOf(nowMs)}::int ORDER BY 1, 2`;
      const dayNo = rows[this.#below(rows.length)]?.day;
      if (dayNo === undefined) return;
      const groups = rows.filter(({ day }) => day === dayNo).map(({ group }) => group);
      this.log.push(`day ${dayNo} of ${groups}`);
      await closeDay(sql, { dayNo, groups, partitions, samplesMax: 1 + this.#below(400) });
    }
  }

  async #brokenStep(): Promise<void> {
    const how: Break = this.random() < 0.5 ? "throw" : "terminate";
    const at = 1 + this.#below(14);
    this.log.push(`${how} at statement ${at}`);
    await this.#step(failingAt(this.sql, at, how).sql, 0).catch((thrown: unknown) => {
      this.log.push(`broken off: ${thrown}`);
    });
  }

  /** Everything that must hold at every moment. @returns what does not */
  async faults(): Promise<string[]> {
    const { sql } = this;
    const sent = ledgerOfSent(this.#sent, this.#anchored, this.#nowMs);
    const difference = differenceOf(sent, await ledgerOfStored(sql, this.#nowMs));
    const faults = difference === null ? [] : [difference];
    faults.push(...(await faultsOfFigures(sql)));
    faults.push(...(await checkStreams(sql)).map((fault) => `stream ${JSON.stringify(fault)}`));
    for (const stream of STREAMS) {
      const id = { gatewayNo: stream.gatewayNo, epoch: 1, lane: "H" as const, seg: stream.seg };
      const known = await findCrcs(sql, id, 1, Number.MAX_SAFE_INTEGER, 1_000_000);
      const frames = this.#sent.filter((one) => one.stream === stream).map(({ frame }) => frame);
      const want = frames.map(({ first, crc }) => `${first} ${crc}`).join();
      if (known.map(({ first, crc }) => `${first} ${crc}`).join() !== want)
        faults.push(`checksums of stream ${stream.gatewayNo}/${stream.seg} are not those sent`);
    }
    return faults;
  }

  /** Lets time pass and everything come to rest: all is in days then, but what has no time yet or lies ahead. */
  async drain(): Promise<void> {
    await this.#anchor();
    await this.sql`UPDATE uplink_stream SET latest_seq = last`;
    await this.sql`
      INSERT INTO coverage_position (gateway_no, epoch, lane, seg, seq)
      SELECT gateway_no, epoch, lane, seg, last FROM uplink_stream
      ON CONFLICT (gateway_no, epoch, lane, seg) DO UPDATE SET seq = excluded.seq`;
    await this.sql`INSERT INTO coverage_boot VALUES (2, 2) ON CONFLICT DO NOTHING`;
  }

  /** The clock as it stands, for whoever goes on from here. */
  get nowMs(): number {
    return this.#nowMs;
  }
}
