import { Database } from "bun:sqlite";
import { afterEach, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@millrace/contract/std/clock";
import type { GatewayEvent } from "@millrace/contract/wire/event";
import type { ManifestDevice, ManifestTag } from "@millrace/contract/wire/manifest";
import { type WriteRigInput, writable, writeRig } from "../../test/write-rig.ts";
import { until as untilWithin } from "../driver/conformance.ts";
import { ModbusSimulator } from "../drivers/modbus/simulator.ts";

/** A momentary value that outlives its press: its gateway is killed, its link is lost, its device is changed. */

/** Programs are started here, on machines that are busy. */
const until = (reached: () => boolean) => untilWithin(reached, 20_000);
const BUTTON = 3;
const LONG_MS = 10_000;
const DEVICE = "01938f5e-7c1a-7b2e-9d30-0000000000cc";

const button = (more: Partial<ManifestTag> = {}): ManifestTag =>
  writable(BUTTON, {
    address: "coil:0",
    dataType: "boolean",
    scanMs: 50,
    write: { pulseMs: LONG_MS },
    ...more,
  });
const deviceAt = (port: number, tags = [button()]): ManifestDevice => ({
  deviceId: DEVICE,
  name: "Press",
  path: "plant/press",
  driver: "modbus",
  settings: { host: "127.0.0.1", port, timeoutMs: 150 },
  tags,
});

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function folderFor(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-holds-"));
  ends.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function machine(port = 0): Promise<ModbusSimulator> {
  const simulator = await ModbusSimulator.start(systemClock, port);
  simulator.unit(1);
  ends.push(() => simulator.close());
  return simulator;
}

async function gateway(input: WriteRigInput) {
  const rig = await writeRig(input);
  ends.push(() => rig[Symbol.asyncDispose]());
  return rig;
}

const isUp = ({ fleet }: Awaited<ReturnType<typeof gateway>>) => fleet.statuses()[0]?.linkState === "up";
const written = ({ writes }: ModbusSimulator) => writes.map(({ area, words }) => [area, words[0]]);
const released = (events: readonly GatewayEvent[]) =>
  events.filter(({ code }) => code === "write.released").map(({ data }) => data);
/** What the record on disk says, as another program reads it. */
function onDisk(folder: string): unknown[] {
  using db = new Database(join(folder, "held.db"), { readonly: true });
  return db.query("SELECT tag_no, rest FROM held").all();
}

/** A gateway in a process of its own. */
async function child(folder: string, devices: ManifestDevice[], press?: number) {
  const file = join(folder, "devices.json");
  await writeFile(file, JSON.stringify(devices));
  const program = join(import.meta.dir, "../../test/pulse-child.ts");
  const args = press === undefined ? [] : [String(press)];
  const process_ = Bun.spawn([process.execPath, program, folder, file, ...args], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const events: GatewayEvent[] = [];
  const reading = (async () => {
    let rest = "";
    for await (const text of process_.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      events.push(...lines.map((line) => JSON.parse(line) as GatewayEvent));
    }
  })();
  const kill = async () => {
    process_.kill("SIGKILL");
    await process_.exited;
    await reading;
  };
  ends.push(kill);
  return { events, kill };
}

test("a gateway killed while it holds takes back first when it is there again, and never presses again", async () => {
  const [folder, simulator] = [await folderFor(), await machine()];
  const devices = [deviceAt(simulator.port)];
  const pressing = await child(folder, devices, BUTTON);
  await until(() => simulator.writes.length === 1);
  await pressing.kill();
  expect([written(simulator), simulator.unit(1).coil[0], pressing.events]).toEqual([[["coil", 1]], 1, []]);
  expect(onDisk(folder)).toEqual([{ tag_no: BUTTON, rest: 0 }]);
  const asked = simulator.requests.length;
  const next = await child(folder, devices);
  await until(() => released(next.events).length === 1);
  expect([written(simulator), simulator.unit(1).coil[0]]).toEqual([
    [
      ["coil", 1],
      ["coil", 0],
    ],
    0,
  ]);
  // Looks, writes, looks: before the first cycle of the device.
  expect(simulator.requests.slice(asked, asked + 2).map(({ functionCode }) => functionCode)).toEqual([1, 5]);
  const [told] = released(next.events);
  expect(told).toMatchObject({ tagNo: BUTTON, why: "restart", heldMs: expect.any(Number) });
  const outcome = next.events.find(({ code }) => code === "command.done")?.data;
  expect(outcome).toMatchObject({ outcome: "unknown", commandId: told?.commandId });
  expect(onDisk(folder)).toEqual([]);
}, 30_000);

test("a link lost while it holds: taken back as the first the machine hears when it is reached again", async () => {
  const simulator = await machine();
  const port = simulator.port;
  const it = await gateway({ devices: [deviceAt(port, [button({ write: { pulseMs: 300 } })])] });
  await until(() => isUp(it));
  const pressing = it.write(BUTTON, true, false);
  await until(() => simulator.writes.length === 1);
  // It was seen to be on before the link goes; what a lost reading back means is another story.
  const reads = () => simulator.requests.filter(({ functionCode }) => functionCode === 1).length;
  const before = reads();
  await until(() => reads() > before + 1);
  await simulator.close();
  await until(() => !isUp(it));
  // Another one at its place, as a CPU that kept its outputs through a restart of its network card.
  const back = await machine(port);
  back.unit(1).coil[0] = 1;
  await until(() => back.writes.length === 1);
  expect([written(back), back.unit(1).coil[0]]).toEqual([[["coil", 0]], 0]);
  expect(back.requests[0]?.functionCode).toBe(5);
  expect(await pressing).toMatchObject({ outcome: "done", after: false });
  expect(released(it.events)).toEqual([]);
}, 30_000);

test("one that is away for longer: told as not known, no other press meanwhile, told again when it is taken back", async () => {
  const simulator = await machine();
  const port = simulator.port;
  // Time that passes twenty times as fast, for the limits alone.
  const fast = {
    ...systemClock,
    sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms / 20, signal),
  };
  const it = await gateway({ devices: [deviceAt(port)], clock: fast });
  await until(() => isUp(it));
  const pressing = it.write(BUTTON, true, false);
  await until(() => simulator.writes.length === 1);
  await simulator.close();
  expect(await pressing).toMatchObject({ outcome: "unknown", code: "link.lost" });
  expect(await it.write(BUTTON, true, false)).toMatchObject({ outcome: "failed", code: "write.held" });
  const back = await machine(port);
  back.unit(1).coil[0] = 1;
  await until(() => released(it.events).length === 1);
  expect([written(back), onDisk(it.folder)]).toEqual([[["coil", 0]], []]);
  expect(released(it.events)).toMatchObject([{ tagNo: BUTTON, why: "link" }]);
  await until(() => isUp(it));
  const again = it.write(BUTTON, true, false);
  await until(() => back.writes.length === 3);
  expect(await again).toMatchObject({ outcome: "done" });
}, 30_000);

test("a device that is changed or stopped while it holds is let go before its link ends", async () => {
  const simulator = await machine();
  const it = await gateway({ devices: [deviceAt(simulator.port)] });
  await until(() => isUp(it));
  const pressing = it.write(BUTTON, true, false);
  await until(() => simulator.writes.length === 1);
  await it.fleet.apply({ rev: 2, devices: [] });
  expect(written(simulator)).toEqual([
    ["coil", 1],
    ["coil", 0],
  ]);
  expect(await pressing).toMatchObject({ outcome: "done", after: false });
});

/** What a gateway that died left behind. */
async function leftBehind(simulator: ModbusSimulator, over: { rest?: boolean; tags?: ManifestTag[] } = {}) {
  const folder = await folderFor();
  const { port } = simulator;
  const writes = simulator.writes.length;
  const before = await child(folder, [deviceAt(port)], BUTTON);
  // The record comes first, the press after it.
  await until(() => onDisk2(folder) === 1 && simulator.writes.length > writes);
  await before.kill();
  if (over.rest) {
    using db = new Database(join(folder, "held.db"));
    db.run("UPDATE held SET rest = 1");
  }
  return await gateway({ folder, devices: [deviceAt(port, over.tags)] });
}
const onDisk2 = (folder: string): number => {
  try {
    return onDisk(folder).length;
  } catch {
    return 0;
  }
};
const stuck = (events: readonly GatewayEvent[]) => events.filter(({ code }) => code === "write.stuck");

test("what would be switched on late, and what has another address since, is left alone and told", async () => {
  const simulator = await machine();
  const inverted = await leftBehind(simulator, { rest: true });
  await until(() => stuck(inverted.events).length === 1 && isUp(inverted));
  expect(stuck(inverted.events)[0]?.message).toContain("never written late");
  const writes = simulator.writes.length;
  simulator.unit(1).coil[0] = 0;
  const moved = await leftBehind(simulator, { tags: [button({ address: "coil:1" })] });
  await until(() => stuck(moved.events).length === 1);
  expect(stuck(moved.events)[0]?.message).toContain("has been changed since");
  expect([simulator.writes.length, onDisk(moved.folder)]).toEqual([writes + 1, []]);
}, 30_000);

test("what is at rest already is not written again", async () => {
  const simulator = await machine();
  const port = simulator.port;
  const folder = await folderFor();
  const before = await child(folder, [deviceAt(port)], BUTTON);
  await until(() => simulator.writes.length === 1);
  await before.kill();
  simulator.unit(1).coil[0] = 0;
  const it = await gateway({ folder, devices: [deviceAt(port)] });
  await until(() => released(it.events).length === 1);
  expect(written(simulator)).toEqual([["coil", 1]]);
}, 30_000);

test("without a record that can be read nothing is pressed, and everything else is written", async () => {
  const [folder, simulator] = [await folderFor(), await machine()];
  await writeFile(join(folder, "held.db"), "no database at all, of whatever length it may be".repeat(90));
  const tags = [button(), writable(1, { write: { min: 0, max: 9 } })];
  const it = await gateway({ folder, devices: [deviceAt(simulator.port, tags)] });
  await until(() => isUp(it));
  expect(stuck(it.events)[0]?.message).toContain("held.db");
  expect(await it.write(BUTTON, true, false)).toMatchObject({ outcome: "failed", code: "setting.wrong" });
  expect(await it.write(1, 5, 0)).toMatchObject({ outcome: "done" });
  expect(simulator.writes).toHaveLength(1);
});
