import { afterAll, expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { COMMAND_MS_MAX, type Command, type CommandOutcome } from "@millrace/contract/wire/command";
import { seededRandom } from "../../../contract/test/random.ts";
import { CutPlant, PLANT_WAY_MS_MAX } from "../../test/cut-plant.ts";
import { FakeClock } from "../../test/fake-clock.ts";
import { hubKey, writable, writeRig } from "../../test/write-rig.ts";

/**
 * The machine, the gateway's real desk, record, fleet and connection, and a hub that sends signed writes over a link of
 * its own. In every round something is cut at a random moment: the hub's link, the machine's, or the gateway's power.
 * The hub sends again what it does not know the end of, as a hub in confusion would. The machine says what arrived.
 */
const CUTS = 1_000;
const SEED = 26;
const ROUND_MS = 3_000;
const HUB_WAY_MS_MAX = 60;

const key = hubKey();
let folder = "";
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Sent {
  command: Command;
  value: number;
  outcomes: CommandOutcome[];
}

class World {
  readonly clock = new FakeClock();
  readonly random = seededRandom(SEED);
  readonly plant = new CutPlant(this.clock, this.random);
  readonly sent: Sent[] = [];
  gateway: Awaited<ReturnType<typeof writeRig>> | null = null;
  /** Counts the hub's links: what was on the way in an older one is lost. */
  link = 0;
  heard = 0;
  readonly cuts = { hub: 0, machine: 0, power: 0 };

  async boot(): Promise<void> {
    const device = {
      deviceId: "01938f5e-7c1a-7b2e-9d30-0000000000cc",
      name: "Press",
      path: "plant/press",
      driver: "cut",
      settings: { host: "it" },
      tags: [writable(1, { dataType: "float64", scanMs: 100, write: { min: 0, max: 1e9 } })],
    };
    this.heard = 0;
    const { clock, plant } = this;
    const next = await writeRig({
      devices: [device],
      key,
      clock,
      driverOf: plant.driverOf,
      hubNowMs: () => clock.monoMs(),
      ...(folder === "" ? {} : { folder }),
    });
    folder = next.folder;
    this.gateway = next;
    this.hear();
  }

  /** Outcomes lie on the gateway's disk until the hub has them, whatever is cut. */
  hear(): void {
    const { events } = this.gateway!;
    for (const { data } of events.slice(this.heard)) {
      const sent = this.sent.find(({ command }) => command.commandId === data.commandId);
      sent?.outcomes.push(data.outcome as CommandOutcome);
    }
    this.heard = events.length;
  }

  /** Numbers are worth their place: the n-th write asks for the value n, so each arrival names its command. */
  ask(): void {
    const value = this.sent.length + 1;
    const lifeMs = 20 + this.random() * 400;
    const command = this.gateway!.commandOf(1, value, this.plant.value, {
      commandNo: value,
      commandId: `01938f5e-7c1a-7b2e-9d30-${String(value).padStart(12, "0")}`,
      expiresMs: this.clock.monoMs() + Math.min(COMMAND_MS_MAX, lifeMs),
    });
    this.sent.push({ command, value, outcomes: [] });
    this.send(command);
  }

  send(command: Command): void {
    const { link } = this;
    this.clock.after(this.random() * HUB_WAY_MS_MAX, () => {
      if (link === this.link) void this.gateway?.desk.take(command, key.signed(command));
    });
  }

  cut(): void {
    const chance = this.random();
    if (chance < 0.4) {
      this.link++;
      this.cuts.hub++;
    } else if (chance < 0.8) {
      this.plant.cut();
      this.cuts.machine++;
    } else this.power();
  }

  /** What has left for the machine still arrives; everything in memory is gone. */
  power(): void {
    this.cuts.power++;
    this.link++;
    this.hear();
    const dead = this.gateway!;
    this.gateway = null;
    dead.desk.close();
    this.plant.cut();
    void dead.fleet.stop();
  }
}

test(`S26: ${CUTS} links cut at random moments: no write arrives twice, none leaves late, no outcome lies`, async () => {
  const world = new World();
  const { clock, random, plant, sent } = world;
  await world.boot();
  await clock.advance(1_000);
  for (let round = 0; round < CUTS; round++) {
    world.ask();
    const last = sent.at(-1)!;
    await clock.advance(random() * 250);
    world.cut();
    await clock.advance(random() * 200);
    if (world.gateway === null) await world.boot();
    // A hub that does not know what became of it asks again under the same name: it must count for one.
    world.send(last.command);
    if (random() < 0.3) world.send(sent[Math.floor(random() * sent.length)]!.command);
    await clock.advance(ROUND_MS);
    world.hear();
  }
  const arrivalsOf = (value: number) => plant.arrivals.filter((arrival) => arrival.value === value);
  const wrong = sent.flatMap(({ value, command, outcomes }) => {
    const arrivals = arrivalsOf(value);
    const late = arrivals.filter(({ leftMs }) => leftMs >= command.expiresMs);
    const told = outcomes[0];
    const lies =
      (told === "done" && arrivals.length !== 1) ||
      ((told === "failed" || told === "expired" || told === "stale") && arrivals.length > 0);
    return arrivals.length > 1 || late.length > 0 || lies ? [{ value, told, arrivals }] : [];
  });
  expect(wrong).toEqual([]);
  expect(plant.arrivals.every(({ leftMs, atMs }) => atMs - leftMs <= PLANT_WAY_MS_MAX)).toBe(true);
  // The run must have been worth it: every sort of cut, and every sort of end.
  expect(Math.min(world.cuts.hub, world.cuts.machine, world.cuts.power)).toBeGreaterThan(100);
  const ends = new Map(Object.entries(Object.groupBy(sent, ({ outcomes }) => outcomes[0] ?? "silent")));
  const counts = Object.fromEntries([...ends].map(([end, of]) => [end, of!.length]));
  for (const end of ["done", "failed", "unknown", "expired"])
    expect([end, counts[end] ?? 0]).not.toEqual([end, 0]);
  await world.gateway?.[Symbol.asyncDispose]();
}, 60_000);
