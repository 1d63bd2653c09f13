import type { Draft } from "../../gateway/src/outbox/draft.ts";
import type { OutboxEngine } from "../../gateway/src/outbox/engine.ts";
import type { Chance } from "./chance.ts";
import { GatewayDisk } from "./gateway/disk.ts";
import { GatewayProgram } from "./gateway/program.ts";
import { copyState, HubDatabase, type HubState, streamName } from "./hub/database.ts";
import { HubProgram } from "./hub/program.ts";
import { Network } from "./network.ts";
import { Oracle } from "./oracle/oracle.ts";
import type { Plan } from "./plan.ts";
import { WallClock, World } from "./world.ts";

/** How often a copy of the disk and a backup of the hub are made, for the day they are put back. */
const COPY_MS = 20_000;

/** Everything of one history: the machines, the line between them, and whoever watches. */
export class Site {
  readonly world = new World();
  readonly wall = new WallClock();
  readonly hubWall = new WallClock();
  readonly oracle: Oracle;
  readonly database: HubDatabase;
  readonly disk: GatewayDisk;
  readonly network: Network;
  slowMs = 2;
  gateway: GatewayProgram | null = null;
  hub: HubProgram | null = null;
  #changesToDeath: number | null = null;
  #noClockOffsetMs: number | null = null;
  #copies: { atMs: number; putBack: () => void }[] = [];
  #backups: HubState[] = [];

  constructor(
    readonly plan: Plan,
    readonly chance: Chance,
    /** Takes one line for each thing that happens, for a person who reads a history. */
    readonly note: ((what: string) => void) | null = null,
  ) {
    const { world } = this;
    this.oracle = new Oracle(this);
    this.database = new HubDatabase(world, chance.fork("database"), {
      committed: ({ epoch, key, frames }) => {
        const [first, last] = [frames[0]!.first, frames.at(-1)!.last];
        this.note?.(
          `the hub commits ${streamName(epoch, key)} ${first} to ${last}: ${frames.map(({ kind }) => kind)}`,
        );
        for (const frame of frames) this.oracle.hubView.take(epoch, key, frame);
      },
    });
    this.disk = new GatewayDisk({
      before: (operation) => {
        this.note?.(`  disk: ${operation}`);
        this.#dieMaybe();
      },
      after: () => {
        this.oracle.diskChanged();
        this.#dieMaybe();
      },
      appended: (epoch, key, first, drafts: readonly Draft[]) =>
        this.oracle.appended(epoch, key, first, drafts),
      inserted: (epoch, key, { first, last }) => this.oracle.catalogue.bridged(epoch, key, first, last),
      moved: (from, epochs, rows, took) => this.oracle.catalogue.moved(from, epochs, rows, took),
    });
    this.network = new Network(world, chance.fork("network"), (end) => this.hub?.accept(end) ?? null);
  }

  start(): void {
    this.startHub();
    this.startGateway();
    for (let tag = 1; tag <= this.plan.tags; tag++) this.#measure(tag);
    if (this.plan.faults.has("oldImage") || this.plan.faults.has("hubRestore")) this.#copy();
  }

  /** The plant goes on whatever the gateway does; a program that is not there sees nothing. */
  #measure(tagNo: number): void {
    const { world, plan, chance } = this;
    if (world.nowMs > plan.faultsMs + 5_000) return;
    world.after(chance.between(0.2, 1.8) * plan.sampleMs, () => {
      const { gateway } = this;
      if (gateway?.isOpen) {
        const timeMs = gateway.clock.nowMs();
        gateway.push(this.oracle.ledger.measure(tagNo, timeMs), tagNo, timeMs);
      }
      this.#measure(tagNo);
    });
  }

  #copy(): void {
    this.#copies = [...this.#copies, { atMs: this.world.nowMs, putBack: this.disk.copy() }].slice(-4);
    this.#backups = [...this.#backups, copyState(this.database.state)].slice(-4);
    this.world.after(COPY_MS, () => this.#copy());
  }

  startHub(): void {
    if (this.hub !== null) return;
    this.note?.("the hub starts");
    const chance = this.chance.fork(`hub ${this.world.nowMs}`);
    const repeats = () => this.plan.faults.has("commandRepeats") && chance.hits(0.5);
    this.hub = new HubProgram(this.world, this.hubWall, this.database, chance, this.oracle, repeats);
  }

  killHub(): void {
    this.note?.("the hub dies");
    this.hub?.kill();
    this.hub = null;
  }

  startGateway(): void {
    if (this.gateway !== null) return;
    this.note?.("the gateway starts");
    const { plan, world, wall, disk, network, chance } = this;
    this.oracle.gatewayStarts();
    this.gateway = new GatewayProgram({
      world,
      wall,
      disk,
      network,
      chance: chance.fork(`gateway ${world.nowMs}`),
      settings: plan,
      watch: this.oracle,
      slowMs: () => this.slowMs,
      hasNoClock: () => this.#noClockOffsetMs !== null,
    });
  }

  killGateway(): void {
    this.note?.("the gateway dies");
    this.#changesToDeath = null;
    this.gateway?.kill();
    this.gateway = null;
  }

  killAtChange(changes: number): void {
    this.#changesToDeath = changes;
  }

  /** Asked before and after each change, so an odd count dies before one and an even count after it. */
  #dieMaybe(): void {
    if (this.#changesToDeath === null || this.gateway === null) return;
    if (--this.#changesToDeath > 0) return;
    this.#changesToDeath = null;
    const { gateway } = this;
    this.note?.("the gateway dies in the middle of a change");
    this.gateway = null;
    this.world.after(this.chance.magnitude(100, 90_000), () => this.startGateway());
    gateway.killHere();
  }

  /** A machine without a battery for its clock boots somewhere in the past. */
  loseClock(): void {
    this.#noClockOffsetMs ??= this.wall.offsetMs;
    this.wall.offsetMs = -this.world.trueWallMs;
  }

  findClock(): void {
    if (this.#noClockOffsetMs === null) return;
    this.wall.offsetMs = this.#noClockOffsetMs;
    this.#noClockOffsetMs = null;
  }

  setBackGateway(): void {
    const copy = this.#copies.length > 0 ? this.chance.pick(this.#copies) : null;
    if (copy === null) return;
    this.killGateway();
    this.note?.(`the gateway's disk is set back to ${copy.atMs} ms`);
    this.oracle.gatewaySetBack(copy.atMs);
    copy.putBack();
  }

  restoreHub(): void {
    const backup = this.#backups.length > 0 ? this.chance.pick(this.#backups) : null;
    if (backup === null) return;
    this.killHub();
    this.note?.("the hub is restored from a backup");
    this.oracle.hubGoesBack();
    this.database.restore(backup);
    this.oracle.hubWentBack();
  }

  /**
   * A gateway was told how much the hub has, and may thin what lies above, or give it new numbers. Were the hub now set
   * forth, to a backup that has those frames as they were, they would be there twice, and nothing in a frame tells
   * (`docs/delivery.md`).
   */
  forgetBackupsAhead(): void {
    const { marks } = this.database.state;
    const isAhead = (backup: HubState) =>
      [...backup.marks].some(([name, { last }]) => last > (marks.get(name)?.last ?? 0));
    this.#backups = this.#backups.filter((backup) => !isAhead(backup));
  }

  /** One bit of a stored frame turns; the disk itself does not notice. */
  flipOnDisk(): void {
    const { chance } = this;
    const stored = [...(this.disk.image?.frames.values() ?? [])].filter((rows) => rows.length > 0);
    if (stored.length === 0) return;
    const rows = chance.pick(stored);
    const at = chance.whole(0, rows.length - 1);
    const row = rows[at]!;
    this.note?.(`a bit of stored frame ${row.first} turns`);
    const body = row.body.slice();
    const byte = chance.whole(0, body.length - 1);
    body[byte] = body[byte]! ^ (1 << chance.whole(0, 7));
    rows[at] = { ...row, body };
  }

  /** Everything that lasts ends; whoever is dead is started. */
  heal(): void {
    const { network, database } = this;
    network.state.isDown = false;
    network.state.latencyMs = { min: 1, max: 20 };
    network.state.bitFlipShare = 0;
    network.ghostMs = 0;
    database.trouble.failShare = 0;
    database.trouble.isDown = false;
    database.trouble.latencyMs.max = 10;
    this.slowMs = 2;
    this.#changesToDeath = null;
    this.disk.relieve();
    this.findClock();
    this.startHub();
    this.startGateway();
  }

  get engine(): OutboxEngine | null {
    return this.gateway?.isOpen ? this.gateway.engine : null;
  }
}
