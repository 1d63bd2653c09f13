import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GatewayCommand } from "@millrace/contract/api/command";
import type { EventRow } from "@millrace/contract/api/event";
import type { Gateway } from "@millrace/contract/api/gateway";
import type { GatewayHealth } from "@millrace/contract/api/gateway-health";
import type { LogRow } from "@millrace/contract/api/log";
import type { SupportBundle } from "@millrace/contract/api/support-bundle";
import { EXIT_RESTART } from "@millrace/contract/std/setting";
import { Stack } from "../stack/stack.ts";
import { addCounter, compare, drained, storedSamples } from "./kill-rounds.ts";
import { sealedSamples } from "./sealed.ts";

/** A gateway looked after from the hub alone: the real programs, nobody at the machine. */

let folder = "";
let stack: Stack;
let gatewayId = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-fleet-"));
  stack = await Stack.start({ folder });
  gatewayId = (await stack.api.all<Gateway>("/gateways"))[0]!.id;
}, 120_000);

afterAll(async () => {
  await stack?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function until<T>(ask: () => Promise<T>, good: (found: T) => boolean, secondsMax = 30): Promise<T> {
  for (let tries = 0; ; tries++) {
    const found = await ask();
    if (good(found)) return found;
    if (tries >= secondsMax * 5)
      throw new Error(`it did not come to that: ${JSON.stringify(found).slice(0, 4_000)}`);
    await Bun.sleep(200);
  }
}

const health = () => stack.api.get<GatewayHealth>(`/gateways/${gatewayId}/health`);
const logs = async (query = "") =>
  (await stack.api.get<{ items: LogRow[] }>(`/logs?gatewayId=${gatewayId}${query}`)).items;
const events = async (codes: string) =>
  (await stack.api.get<{ items: EventRow[] }>(`/events?gateway=${gatewayId}&code=${codes}`)).items;
const outcome = (id: string) =>
  until(
    () => stack.api.get<GatewayCommand>(`/commands/${id}`),
    ({ state }) => state !== "sent",
  );
const allUp = ({ devices, link }: GatewayHealth) =>
  link.linkState === "up" && devices.length > 0 && devices.every(({ linkState }) => linkState === "up");

test("health has every figure of the running gateway", async () => {
  const found = await until(health, allUp);
  expect(found.versions).toMatchObject({
    gateway: expect.stringContaining("millrace-gateway"),
    runtime: expect.stringContaining(`bun ${Bun.version}`),
  });
  expect(found.machine!.memoryBytes).toBeGreaterThan(10_000_000);
  expect(found.machine!.diskBytes).toBeGreaterThan(found.machine!.diskFreeBytes);
  expect(found.buffer!.bytesRoom).toBeGreaterThan(1_000_000);
  expect(found.manifest).toMatchObject({ wanted: found.manifest.running, error: null });
  expect(found.clock.offsetMs).not.toBeNull();
  expect(found.devices.every(({ name, cycles }) => name !== null && cycles >= 0)).toBe(true);
  expect(found.log).toMatchObject({ level: "warning", until: null });
}, 60_000);

test("a device that is lost speaks in the hub's log and in the health; back again, it is well", async () => {
  await stack.plant.stop();
  const [line] = await until(
    () => logs("&q=not%20readable"),
    (found) => found.length > 0,
  );
  expect(line).toMatchObject({ level: "warning", logger: "gateway.device" });
  const lost = await until(health, ({ findings }) => findings.some(({ code }) => code === "device.lost"));
  const cause = lost.devices.find(({ linkState }) => linkState !== "up")!;
  expect([cause.cause !== "", cause.nextStep !== "", cause.code !== ""]).toEqual([true, true, true]);
  await stack.startPlant();
  await until(health, allUp, 60);
}, 120_000);

test("another level lets more through for its time, and is seen", async () => {
  const device = (await health()).devices[0]!;
  const before = await logs("&q=restarted");
  expect(before).toEqual([]);
  const asked = await stack.api.post<GatewayCommand>(`/gateways/${gatewayId}/log-level`, {
    level: "info",
    minutes: 1,
  });
  expect((await outcome(asked.id)).state).toBe("done");
  const restart = { what: "device", deviceId: device.deviceId };
  const sent = await stack.api.post<GatewayCommand>(`/gateways/${gatewayId}/restart`, restart);
  expect((await outcome(sent.id)).state).toBe("done");
  const [line] = await until(
    () => logs("&q=restarted"),
    (found) => found.length > 0,
  );
  expect(line!.level).toBe("info");
  const asking = await until(health, ({ log }) => log?.level === "info");
  expect(Date.parse(asking.log!.until!) - Date.now()).toBeLessThan(61_000);
  expect((await events("log.level"))[0]!.data).toMatchObject({ level: "info", minutes: 1 });
  await until(health, allUp);
}, 60_000);

test("what is logged while the hub is away comes when it is back, once", async () => {
  const seen = (await logs("&q=not%20readable")).length;
  const awayFrom = new Date().toISOString();
  await stack.hub.stop();
  await stack.plant.stop();
  await Bun.sleep(3_000);
  await stack.startPlant();
  await stack.startHub();
  const found = await until(
    () => logs(`&q=not%20readable&from=${awayFrom}`).catch(() => []),
    (lines) => lines.length > 0,
  );
  await until(health, allUp, 60);
  const all = await logs("&q=not%20readable");
  expect(all.length).toBeGreaterThan(seen);
  const keys = all.map(({ time, message }) => `${time} ${message}`);
  expect(new Set(keys).size).toBe(keys.length);
  // Told late, and stored with the time it happened at.
  expect(Date.parse(found[0]!.receivedAt)).toBeGreaterThan(Date.parse(found[0]!.time));
}, 120_000);

test("a restart from the hub ends the program once, with the code for it, and loses nothing", async () => {
  const tag = await addCounter(stack);
  const beganMs = Date.now();
  await until(health, (found) => allUp(found) && found.devices.some(({ name }) => name === "Pulse counter"));
  await Bun.sleep(2_000);
  const started = (await events("gateway.started")).length;
  const sent = await stack.api.post<GatewayCommand>(`/gateways/${gatewayId}/restart`, { what: "gateway" });
  expect(await stack.gateway.process.exited).toBe(EXIT_RESTART);
  // What the ended program left on its disk: all of it must reach the hub, once.
  const sealed = sealedSamples(stack.gatewayFolder, tag.tagNo);
  expect(sealed.length).toBeGreaterThan(10);
  await until(health, ({ link }) => link.linkState === "down");
  await expect(stack.api.post(`/gateways/${gatewayId}/restart`, { what: "gateway" })).rejects.toThrow(
    "command.away",
  );
  await stack.startGateway();
  const { pid } = stack.gateway;
  expect((await outcome(sent.id)).state).toBe("done");
  await until(health, allUp);
  expect(
    await until(
      () => events("gateway.started"),
      (found) => found.length > started,
    ),
  ).toHaveLength(started + 1);
  const lastMs = Math.max(...sealed.map(({ timeMs }) => timeMs));
  // It is at work again once something newer than all it had left is stored.
  const stored = await until(
    () => storedSamples(stack, tag.tagNo, beganMs - 60_000),
    (found) => found.some(({ timeMs }) => timeMs > lastMs),
  );
  await drained(stack, gatewayId);
  const before = stored.filter(({ timeMs }) => timeMs <= lastMs);
  expect(compare(sealed, before)).toMatchObject({ lost: 0, doubled: 0, invented: 0 });
  const gaps = await stack.api.get<{ items: unknown[] }>(`/gaps?gateway=${gatewayId}`);
  expect(gaps.items).toEqual([]);
  // Neither the command nor the one that was refused comes again, and the level has fallen back.
  await Bun.sleep(3_000);
  expect([stack.gateway.pid, stack.gateway.running]).toEqual([pid, true]);
  expect((await health()).log).toMatchObject({ level: "warning", until: null });
  expect((await events("command.done")).filter(({ data }) => data.commandId === sent.id)).toHaveLength(1);
}, 120_000);

test("the support bundle of the running system has everything, and no key of it", async () => {
  const bundle = await stack.api.get<SupportBundle>(`/gateways/${gatewayId}/support-bundle`);
  expect(bundle.settings).toMatchObject({ logFormat: "json" });
  expect(bundle.manifest!.devices.length).toBe(bundle.health.devices.length);
  expect(bundle.logs.length).toBeGreaterThan(0);
  expect(bundle.commands.map(({ body }) => body.kind)).toContain("restartGateway");
  const text = JSON.stringify(bundle);
  const files = [...new Bun.Glob("**/*key*").scanSync({ cwd: folder, absolute: true, dot: true })];
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) {
    const secret = (await Bun.file(file).text()).trim();
    for (const part of secret.split(/[\s"{}:,]+/).filter(({ length }) => length >= 40))
      expect(text).not.toContain(part);
  }
}, 30_000);
