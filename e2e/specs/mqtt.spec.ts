import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { eventually, type Person } from "./browser.ts";
import { isClean } from "./clean.ts";
import { openSceneWithAda, type Scene } from "./scene.ts";

/** Values by message: from a broker of the plant, and from a device that sends to the gateway with a token of its own. */

let scene: Scene | undefined;
let ada: Person;
let mosquitto: Bun.Subprocess;
const folder = mkdtempSync(join(tmpdir(), "millrace-mqtt-"));
const ports = { plant: 0, mqtt: 0, http: 0 };

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

const publish = (port: number, topic: string, payload: string, more: string[] = []) =>
  Bun.spawn(["mosquitto_pub", "-h", "127.0.0.1", "-p", String(port), "-t", topic, "-m", payload, ...more], {
    stdout: "ignore",
    stderr: "ignore",
  }).exited;

beforeAll(async () => {
  for (const name of ["plant", "mqtt", "http"] as const) ports[name] = await freePort();
  const config = join(folder, "mosquitto.conf");
  const root = process.getuid?.() === 0 ? "user root\n" : "";
  writeFileSync(config, `listener ${ports.plant} 127.0.0.1\nallow_anonymous true\n${root}`);
  mosquitto = Bun.spawn(["/usr/sbin/mosquitto", "-c", config], { stdout: "ignore", stderr: "ignore" });
  const opened = await openSceneWithAda("mqtt", {
    gatewayEnv: {
      MILLRACE_INTAKE_MQTT_HOST: "127.0.0.1",
      MILLRACE_INTAKE_MQTT_PORT: String(ports.mqtt),
      MILLRACE_INTAKE_HTTP_HOST: "127.0.0.1",
      MILLRACE_INTAKE_HTTP_PORT: String(ports.http),
      MILLRACE_INTAKE_ALLOW_PLAIN: "1",
    },
  });
  scene = opened;
  ada = opened.ada;
}, 120_000);

afterAll(async () => {
  mosquitto?.kill();
  rmSync(folder, { recursive: true, force: true });
  await scene?.close();
}, 60_000);

const setting = (name: string) => ada.page.locator(`[data-testid="setting"][data-setting="${name}"]`);
const cell = (row: number, field: string) =>
  ada.page.locator(`[data-testid="tag-table"] [data-row="${row}"] [data-field="${field}"]`);
async function newDevice(name: string, driver: string): Promise<void> {
  await ada.page.goto(`${scene!.stack.hubUrl}/plant/devices/new`);
  await ada.find("device-name").fill(name);
  await ada.page.getByLabel("Protocol").selectOption(driver);
  await ada.find("profile-name").fill(name);
}
async function fillTag(row: number, name: string, address: string): Promise<void> {
  if (row > 0) await ada.find("tag-add").click();
  await cell(row, "name").fill(name);
  await cell(row, "address").fill(address);
  await cell(row, "dataType").selectOption("float64");
}
/** Sends until as many values as there are tags are live on the screen. */
async function live(tags: number, send: () => Promise<unknown>): Promise<void> {
  await eventually(
    `${tags} live values`,
    async () => {
      await send();
      return Promise.all(
        (await ada.find("value-cell").all()).map((value) => value.getAttribute("data-state")),
      );
    },
    (states) => states.length === tags && states.every((state) => state === "live"),
  );
}
async function accessible(): Promise<void> {
  const page = new AxeBuilder({ page: ada.page }).withTags(["wcag2a", "wcag2aa", "wcag22aa"]);
  expect((await page.analyze()).violations.map(({ id }) => id)).toEqual([]);
}

test("a broker of the plant: what mosquitto_pub sends is live on the screen", async () => {
  await newDevice("Oven", "mqtt");
  await setting("broker").fill(`mqtt://127.0.0.1:${ports.plant}`);
  await fillTag(0, "Heat", "oven/state json=$.heat");
  await ada.picture("mqtt-form");
  await accessible();
  await ada.find("device-publish").click();
  await ada.page.waitForURL(/\/tags\?device=/);
  await live(1, () => publish(ports.plant, "oven/state", '{"heat":187.5}'));
  expect(await ada.find("value-cell").first().innerText()).toContain("187.5");
  await ada.picture("mqtt-live");
}, 60_000);

test("the gateway as Sparkplug edge node: made one by its form, it tells its devices to the broker", async () => {
  await using told = Bun.spawn(
    ["mosquitto_sub", "-h", "127.0.0.1", "-p", String(ports.plant), "-t", "spBv1.0/#", "-F", "%t"],
    { stdout: "pipe", stderr: "ignore" },
  );
  let topics = "";
  void (async () => {
    for await (const chunk of told.stdout.pipeThrough(new TextDecoderStream())) topics += chunk;
  })();
  const { items } = await scene!.stack.api.get<{ items: { id: string }[] }>("/gateways");
  await ada.page.goto(`${scene!.stack.hubUrl}/gateways/${items[0]!.id}`);
  const panel = ada.find("sparkplug");
  await panel.getByRole("button", { name: "Make it an edge node" }).click();
  await ada.find("sparkplug-save").click();
  await panel.getByText("One setting is not right yet.").waitFor();
  await setting("broker").fill(`mqtt://127.0.0.1:${ports.plant}`);
  await setting("edgeNodeId").fill("Hall 1");
  await panel.scrollIntoViewIfNeeded();
  await isClean(ada, "sparkplug-form");
  await ada.find("sparkplug-save").click();
  await eventually(
    "an edge node that is online",
    () => panel.getAttribute("data-state"),
    (state) => state === "online",
  );
  await eventually(
    "births at the broker",
    async () => topics,
    (all) => all.includes("/NBIRTH/Hall 1") && all.includes("/DBIRTH/Hall 1/"),
  );
  await ada.picture("sparkplug-online");
  await accessible();
}, 60_000);

test("a device that sends: its token is made and shown once, and lets it in by MQTT and HTTP", async () => {
  await newDevice("Press 3", "push");
  await setting("login").fill("press-3");
  await ada.find("make-secret").click();
  const token = (await ada.find("made-secret").innerText()).trim();
  expect(token).toMatch(/^[\w-]{43}$/);
  await fillTag(0, "Force", "force");
  await fillTag(1, "Speed", "state json=$.speed");
  await ada.picture("push-token");
  await accessible();
  await ada.find("device-publish").click();
  await ada.page.waitForURL(/\/tags\?device=/);
  let sent = 0;
  await live(2, async () => {
    await publish(ports.mqtt, "devices/press-3/force", "12.5", ["-u", "press-3", "-P", token]);
    await fetch(`http://127.0.0.1:${ports.http}/in/press-3/state`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${token}`,
        "idempotency-key": `key-${sent++}`,
        "content-type": "application/json",
      },
      body: '{"speed":33}',
    });
  });
  await ada.picture("push-live");
  expect(await ada.page.content()).not.toContain(token);
  expect(ada.errors).toEqual([]);
}, 60_000);
