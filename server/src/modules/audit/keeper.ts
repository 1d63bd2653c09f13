import { getLogger } from "@logtape/logtape";
import type { AuditState, AuditVerdict } from "@millrace/contract/api/audit";
import type { Clock } from "@millrace/contract/std/clock";
import { Gauge, type Registry } from "prom-client";
import type { Db } from "../../db/client.ts";
import { inTransaction } from "../../db/transaction.ts";
import type { HubIdentity } from "../../ports.ts";
import { repeat } from "../../repeat.ts";
import { instantOf } from "../instant.ts";
import { AccessLog } from "./access-log.ts";
import { hexOf, signAnchor } from "./anchor.ts";
import { type Broken, type Head, sameBytes } from "./chain.ts";
import type { HeadKeep } from "./head-file.ts";
import { AUDIT } from "./limits.ts";
import { recordAudit } from "./service.ts";
import { findHead, findLast, findNewestAnchor, insertAnchor, sizeBytes } from "./store.ts";
import { walkDatabase } from "./walk.ts";

const log = getLogger(["hub", "audit"]);

/** Anchor after which the chain is walked once, with the first one of a process. */
const CHECK_EVERY = AUDIT.selfCheckMs / AUDIT.anchorMs;

export interface AuditKeeperDeps {
  db: Db;
  clock: Clock;
  identity: HubIdentity;
  registry: Registry;
  /** Free bytes of the database's disk; null when that is another machine's. */
  diskFree?: () => Promise<number | null>;
  /** Where the newest entry is kept over restarts; without it this process alone remembers. */
  heads?: HeadKeep;
}

/** What the hub knows of the audit's room. */
interface Room {
  bytes: number;
  diskFreeBytes: number | null;
  warning: AuditState["storageWarning"];
}

/**
 * Signs the head of the chain from time to time, into a table and into the log, which goes elsewhere, and keeps the
 * newest entry in a file beside the database: what is cut off after that is missed. Once a day the hub walks its chain.
 */
export class AuditKeeper {
  #head: Head | null = null;
  #rows: number | null = null;
  #anchored = 0;
  #failing = false;
  #checked: AuditState["checked"] = null;
  #room: Room | null = null;
  readonly #stop = new AbortController();
  #done: Promise<void> = Promise.resolve();
  #remembering: { stop(): Promise<void> } = { stop: async () => {} };

  readonly #brokenRow: Gauge;
  readonly #bytes: Gauge;
  /** Sign-ins and refusals. */
  readonly access: AccessLog;

  constructor(private readonly deps: AuditKeeperDeps) {
    this.access = new AccessLog(deps);
    this.#bytes = new Gauge({
      name: "millrace_hub_audit_bytes",
      help: "What the audit takes in the database",
      registers: [deps.registry],
    });
    this.#brokenRow = new Gauge({
      name: "millrace_hub_audit_broken_row",
      help: "First row of the audit that does not hold, as of the last look; 0 when it holds",
      registers: [deps.registry],
    });
    this.#brokenRow.set(0);
  }

  /** The newest entry the hub knows of, from memory or from its file. */
  get head(): Head | null {
    return this.#head;
  }

  /** All of what is known without walking the chain again. */
  get state(): AuditState {
    const { unwritableSinceMs, lost, guessing } = this.access;
    return {
      unwritableSince: unwritableSinceMs === null ? null : instantOf(unwritableSinceMs),
      lost,
      rows: this.#rows,
      checked: this.#checked,
      bytes: this.#room?.bytes ?? null,
      diskFreeBytes: this.#room?.diskFreeBytes ?? null,
      storageWarning: this.#room?.warning ?? null,
      guessing: guessing === null ? null : { since: instantOf(guessing.sinceMs), count: guessing.count },
    };
  }

  /** Signs at once and then each hour until it is stopped. */
  start(): void {
    this.access.start();
    const loop = async () => {
      await this.#try(() => this.recall());
      await this.#try(() => this.remember());
      this.#remembering = repeat(this.deps.clock, AUDIT.headMs, async () => {
        await this.#try(() => this.remember());
        return AUDIT.headMs;
      });
      for (;;) {
        await this.#once();
        await this.deps.clock.sleep(AUDIT.anchorMs, this.#stop.signal);
      }
    };
    // Ends by the abort alone, which is no failure.
    this.#done = loop().catch((thrown) => {
      if (!this.#stop.signal.aborted) throw thrown;
    });
  }

  /** Signs a last time, so that what this process did is under a signature, then ends. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
    await this.#remembering.stop();
    await this.access.stop();
    await this.#try(() => this.anchor());
    await this.#try(() => this.remember());
  }

  /**
   * Takes up what the hub knew when it ended. That nothing is kept any more is an entry itself: somebody may have
   * taken the file away to hide what was cut off.
   * @throws what the database throws
   */
  async recall(): Promise<void> {
    const { db, clock, heads } = this.deps;
    if (heads === undefined) return;
    this.#head = await heads.read();
    // A hub that never signed is a new one.
    if (this.#head !== null || (await findNewestAnchor(db)) === null) return;
    log.warn(
      "No newest entry of the audit is kept in the data folder; the hub begins anew with what it finds",
      {
        event: "audit.headMissing",
      },
    );
    await inTransaction(db, (tx) =>
      recordAudit(tx, {
        atMs: clock.nowMs(),
        who: "system",
        action: "audit.headMissing",
        subject: "audit:head",
        old: null,
        new: null,
      }),
    );
  }

  /** Keeps the newest entry, unless the one kept before is gone. @throws what the database or the disk throws */
  async remember(): Promise<void> {
    const head = await findLast(this.deps.db);
    this.#rows = head?.no ?? 0;
    if (this.#head !== null && !(await this.#stands(this.#head))) return;
    if (head !== null && head.no > (this.#head?.no ?? 0)) await this.#keep(head);
  }

  async #keep(head: Head): Promise<void> {
    if (head.no < (this.#head?.no ?? 0)) return;
    this.#head = head;
    await this.deps.heads?.write(head);
  }

  /**
   * Signs the head, if it moved. Never over a chain in which a row that was signed before is gone or another one: that
   * would make it look genuine.
   * @throws what the database throws
   */
  async anchor(): Promise<void> {
    const { db, identity, clock } = this.deps;
    const newest = await findNewestAnchor(db);
    const own = newest?.publicKey === identity.publicKey ? newest : null;
    for (const known of [this.#head, own]) if (known !== null && !(await this.#stands(known))) return;
    const head = await findLast(db);
    if (head === null) return;
    if (newest?.no !== head.no) {
      const anchor = signAnchor(identity, head, clock.nowMs());
      if (await insertAnchor(db, anchor))
        log.info("audit.anchored {no}:{hash} signed {signature}", {
          event: "audit.anchored",
          no: head.no,
          hash: hexOf(head.hash),
          publicKey: anchor.publicKey,
          signature: anchor.signature,
        });
    }
    await this.#keep(head);
  }

  /** Whether an entry that was known is still there and the same; looks where the chain breaks when it is not. */
  async #stands(known: Head): Promise<boolean> {
    const now = await findHead(this.deps.db, known.no);
    if (now !== null && sameBytes(now.hash, known.hash)) return true;
    if ((this.#checked?.brokenNo ?? null) === null) await this.check();
    return false;
  }

  /** Walks the chain and says in the log when it does not hold. @throws what the database throws */
  async check(): Promise<AuditVerdict> {
    const heads = this.#head === null ? [] : [this.#head];
    const verdict = await walkDatabase(
      this.deps.db,
      { keys: [this.deps.identity.publicKey], heads },
      this.#stop.signal,
    );
    this.#found(verdict.firstBroken ?? null, verdict.rows);
    return verdict;
  }

  #found(broken: Broken | null, rows: number): void {
    const before = this.#checked?.brokenNo ?? null;
    this.#brokenRow.set(broken?.no ?? 0);
    const at = instantOf(this.deps.clock.nowMs());
    this.#checked = { at, rows, brokenNo: broken?.no ?? null, why: broken?.why ?? null };
    if (broken !== null && broken.no !== before)
      log.error("The audit does not hold from row {no} on: {why}", { event: "audit.broken", ...broken });
    if (broken === null && before !== null) log.info("The audit holds again", { event: "audit.holds", rows });
  }

  /** Looks how much room the audit takes and has, and says in the log when that becomes a worry. @throws what the database throws */
  async measure(): Promise<void> {
    const { db, diskFree } = this.deps;
    const bytes = await sizeBytes(db);
    const diskFreeBytes = (await diskFree?.()) ?? null;
    const tight = diskFreeBytes !== null && diskFreeBytes < AUDIT.diskFreeBytesWarn;
    const warning = tight ? "disk" : bytes >= AUDIT.bytesWarn ? "size" : null;
    this.#bytes.set(bytes);
    if (warning !== null && this.#room?.warning !== warning)
      log.warn(
        "Room for the audit may run out ({warning}): it takes {bytes} bytes, {diskFreeBytes} are free",
        {
          event: "audit.room",
          warning,
          bytes,
          diskFreeBytes,
        },
      );
    this.#room = { bytes, diskFreeBytes, warning };
  }

  async #once(): Promise<void> {
    await this.#try(() => this.measure());
    await this.#try(async () => {
      await this.anchor();
      if (this.#anchored % CHECK_EVERY === 0) await this.check();
      this.#anchored += 1;
    });
  }

  async #try(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
      if (this.#failing) log.info("The audit is signed and looked at again");
      this.#failing = false;
    } catch (error) {
      if (!this.#failing && !this.#stop.signal.aborted)
        log.warn("The audit could not be signed or looked at, and is tried again: {error}", { error });
      this.#failing = true;
    }
  }
}
