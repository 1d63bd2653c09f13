import type { Command } from "@millrace/contract/wire/command";
import { type StreamKey, streamText } from "@millrace/contract/wire/stream";
import type { RenewalReason } from "../../../server/src/db/schema/gateway.ts";
import type { AdmittedFrame, ApplyInput, ApplyResult } from "../../../server/src/ingest/apply.ts";
import type { MarkStore } from "../../../server/src/ingest/mark-store.ts";
import type { Chance } from "../chance.ts";
import type { World } from "../world.ts";

export interface JournalRow extends AdmittedFrame {
  epoch: number;
  key: StreamKey;
}

interface Mark {
  last: number;
  fenced: boolean;
}

/** What is on the hub's disk: everything committed. Rows are never changed. */
export interface HubState {
  /** Of the one gateway of the history. */
  epoch: number;
  sessionNo: number;
  renewalDue: RenewalReason | null;
  isCloned: boolean;
  commandNo: number;
  /** Epochs the hub issued. */
  renewals: readonly { toEpoch: number; atMs: number; isUsed: boolean }[];
  marks: Map<string, Mark>;
  journal: Map<string, JournalRow[]>;
}

export const streamName = (epoch: number, key: StreamKey): string => `${epoch}/${streamText(key)}`;

const emptyState = (): HubState => ({
  epoch: 1,
  sessionNo: 0,
  renewalDue: null,
  isCloned: false,
  commandNo: 0,
  renewals: [],
  marks: new Map(),
  journal: new Map(),
});

export const copyState = (state: HubState): HubState => ({
  ...state,
  marks: new Map([...state.marks].map(([name, mark]) => [name, { ...mark }])),
  journal: new Map([...state.journal].map(([name, rows]) => [name, [...rows]])),
});

/** How the database is now. */
export interface DatabaseTrouble {
  latencyMs: { min: number; max: number };
  /** Share of the statements of which the outcome is not what it seems. */
  failShare: number;
  isDown: boolean;
}

export interface DatabaseWatch {
  committed(input: ApplyInput): void;
}

const SQL_STATES = ["40001", "53300", "57P01", "08006"] as const;

const serverError = (sqlState: string): Error =>
  Object.assign(new Error(`the server answered ${sqlState}`), {
    code: "ERR_POSTGRES_SERVER_ERROR",
    errno: sqlState,
  });
const lostConnection = (): Error =>
  Object.assign(new Error("the connection closed"), { code: "ERR_POSTGRES_CONNECTION_CLOSED" });
const refusedConnection = (): Error => Object.assign(new Error("refused"), { code: "ECONNREFUSED" });

/**
 * PostgreSQL as the intake sees it: one statement, one transaction, and answers that come late, never, or say
 * nothing about what was committed. A statement that is under way when its hub dies may still commit.
 */
export class HubDatabase {
  state: HubState = emptyState();
  /** Every command that ever left; a person outside remembers them, also when the hub went back. */
  readonly issuedCommands: Command[] = [];
  #commands = 0;
  readonly trouble: DatabaseTrouble = { latencyMs: { min: 1, max: 10 }, failShare: 0, isDown: false };
  /** Counts restores: a statement of before must not write into what came after. */
  #generation = 0;

  constructor(
    private readonly world: World,
    private readonly chance: Chance,
    private readonly watch: DatabaseWatch,
  ) {}

  nextCommandId(): string {
    return `019b0000-0000-7000-9000-${String(++this.#commands).padStart(12, "0")}`;
  }

  restore(state: HubState): void {
    this.#generation++;
    this.state = copyState(state);
  }

  /**
   * One statement. `effect` runs at the moment of the commit, or never; the answer, or the lack of one, comes later.
   * @param isAlive False once the asking program is dead: then nobody is told.
   */
  statement<T>(isAlive: () => boolean, effect: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (inMs: number, run: () => void) => {
        this.world.after(inMs, () => {
          if (isAlive()) run();
        });
      };
      if (this.trouble.isDown) return settle(1, () => reject(refusedConnection()));
      const generation = this.#generation;
      const fails = this.chance.hits(this.trouble.failShare);
      const commits = !fails || this.chance.hits(0.4);
      this.world.after(this.#latency(), () => {
        if (generation !== this.#generation) return settle(0, () => reject(lostConnection()));
        if (!commits) return settle(this.#latency(), () => reject(this.#refusal()));
        let value: T;
        try {
          value = effect();
        } catch (thrown) {
          return settle(this.#latency(), () => reject(thrown));
        }
        settle(this.#latency(), () => (fails ? reject(lostConnection()) : resolve(value)));
      });
    });
  }

  #latency(): number {
    const { min, max } = this.trouble.latencyMs;
    return this.chance.magnitude(min, max);
  }

  #refusal(): Error {
    return this.chance.hits(0.5) ? serverError(this.chance.pick(SQL_STATES)) : lostConnection();
  }

  /** The store of one run of the hub. */
  client(isAlive: () => boolean): MarkStore {
    return {
      apply: (input) => this.statement(isAlive, () => this.#apply(input)),
      readMark: (_, epoch, key) =>
        this.statement(isAlive, () => {
          const mark = this.state.marks.get(streamName(epoch, key));
          return mark ? { ...mark } : null;
        }),
      findConflict: (_, epoch, key, frames) =>
        this.statement(isAlive, () => this.#findConflict(epoch, key, frames)),
      clockOffset: () => this.statement(isAlive, () => null),
      demandRenewal: (_, epoch) =>
        this.statement(isAlive, () => {
          if (this.state.epoch === epoch) this.state.renewalDue = "content";
        }),
    };
  }

  #apply(input: ApplyInput): ApplyResult {
    const { epoch, key, frames } = input;
    const name = streamName(epoch, key);
    const mark = this.state.marks.get(name);
    if (mark === undefined || mark.fenced || mark.last !== frames[0]!.first - 1) return "moved";
    const rows = this.state.journal.get(name) ?? [];
    this.state.journal.set(name, rows);
    // The journal has one row a number; PostgreSQL would refuse the whole statement.
    if ((rows.at(-1)?.last ?? 0) >= frames[0]!.first) throw serverError("23505");
    mark.last = frames.at(-1)!.last;
    for (const frame of frames) rows.push({ ...frame, bytes: frame.bytes.slice(), epoch, key });
    this.watch.committed(input);
    return "committed";
  }

  #findConflict(
    epoch: number,
    key: StreamKey,
    frames: readonly { first: number; crc: number }[],
  ): number | null {
    const rows = this.state.journal.get(streamName(epoch, key)) ?? [];
    const known = new Map(rows.map((row) => [row.first, row.crc]));
    for (const { first, crc } of frames) {
      const stored = known.get(first);
      if (stored !== undefined && stored !== crc) return first;
    }
    return null;
  }
}
