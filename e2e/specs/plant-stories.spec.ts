import { afterAll, beforeAll, expect, test } from "bun:test";
import { AxeBuilder } from "@axe-core/playwright";
import type { Gateway } from "@millrace/contract/api/gateway";
import type { RawSamples } from "@millrace/contract/api/history";
import type { Device, Tag } from "@millrace/contract/api/plant";
import type { Browser } from "playwright-core";
import { rowsOf } from "../stack/rows.ts";
import type { Stack } from "../stack/stack.ts";
import { ADMIN, eventually, Person, PHONE, setUp, signIn, TABLET, TABLET_PORTRAIT } from "./browser.ts";
import { openScene, type Scene } from "./scene.ts";

/** The stories run in this order on one plant, as its first week would. */

const PULSES = "Demo plant/Packing/Packer 1/Sensor pulses";
const TEMPERATURE = "Demo plant/Pressing/Press 1/Oil temperature";

let scene: Scene | undefined;
let stack: Stack;
let browser: Browser;
let ada: Person;

beforeAll(async () => {
  scene = await openScene("stories");
  ({ stack, browser } = scene);
  ada = await Person.arrive(browser, TABLET);
}, 120_000);

afterAll(() => scene?.close(), 60_000);

const openTags = async (person: Person, search: string) => {
  await person.page.goto(`${stack.hubUrl}/tags`);
  await person.find("tag-search").fill(search);
};

test("from the printed link to the first live value", async () => {
  const link = stack.setupLink;
  expect(link).toStartWith(`${stack.hubUrl}/setup#token=`);
  await ada.page.goto(link!);
  await ada.find("setup-form").waitFor();
  await ada.picture("setup");
  await setUp(ada, link!);
  expect(stack.setupLink).toBeNull();
  await openTags(ada, "Oil temperature");
  await eventually(
    "a live oil temperature",
    () => ada.valueState(TEMPERATURE),
    (state) => state === "live",
  );
  const cell = ada.find("value-cell", ada.tagRow(TEMPERATURE));
  expect(await cell.innerText()).toMatch(/\d\d\.\d/);
  await ada.picture("tags-live");
}, 90_000);

test("the set-up link works once", async () => {
  const late = await fetch(`${stack.hubUrl}/api/v1/setup`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: stack.hubUrl },
    body: JSON.stringify({ token: "x".repeat(43), ...ADMIN, email: "second@plant.example" }),
  });
  expect(late.status).toBe(409);
  expect(((await late.json()) as { code: string }).code).toBe("setup.done");
});

test("a second person signs in; a wrong password is refused in words", async () => {
  const ben = await Person.arrive(browser, PHONE);
  await ben.page.goto(stack.hubUrl);
  await ben.find("sign-in-email").fill(ADMIN.email);
  await ben.find("sign-in-password").fill("not the password");
  await ben.find("sign-in-submit").click();
  await ben.find("problem").waitFor();
  await signIn(ben, stack.hubUrl);
  await ben.context.close();
}, 60_000);

test("values move on the screen without anybody touching it", async () => {
  await openTags(ada, "Sensor pulses");
  const cell = ada.find("value-cell", ada.tagRow(PULSES));
  await eventually(
    "a live counter",
    () => ada.valueState(PULSES),
    (state) => state === "live",
  );
  const first = await cell.innerText();
  await eventually(
    "a higher count",
    () => cell.innerText(),
    (text) => text !== first,
  );
}, 60_000);

test("several devices are changed together, in one version", async () => {
  await ada.page.goto(`${stack.hubUrl}/plant`);
  await ada.find("devices-choose").click();
  await ada.page.getByLabel("Search devices").fill("Press");
  await ada.page.getByRole("button", { name: "Choose all" }).click();
  const together = ada.find("devices-together");
  await together.getByLabel("Operating hours").fill("daily 00:00-24:00 Europe/Berlin");
  await ada.picture("plant-devices-together");
  await ada.find("devices-publish").click();
  await ada.page.getByText(/Published: \d devices changed/).waitFor();
  const devices = (await stack.api.all<Device>("/devices")).filter(({ path }) => path.includes("Press"));
  expect(devices.length).toBeGreaterThan(1);
  expect(devices.map(({ hours }) => hours?.timeZone)).toEqual(devices.map(() => "Europe/Berlin"));
}, 30_000);

test("the plant goes dark: its tags turn bad within three intervals, with a cause in words", async () => {
  await openTags(ada, "Oil temperature");
  await eventually(
    "live again",
    () => ada.valueState(TEMPERATURE),
    (state) => state === "live",
  );
  await stack.plant.kill();
  await eventually(
    "bad",
    () => ada.valueState(TEMPERATURE),
    (state) => state === "bad",
    4_000,
  );
  await ada.picture("tags-bad");
  await ada.tagRow(TEMPERATURE).click();
  const words = await eventually(
    "a cause",
    () => ada.find("tag-detail-quality").innerText(),
    (text) => text.length > 10,
  );
  expect(words.toLowerCase()).toMatch(/refused|lost|not answer/);
  await ada.picture("tag-detail-bad");
  const authorization = `Bearer ${stack.localToken}`;
  const local = await fetch(`${stack.localUrl}/api/v1/status`, { headers: { authorization } });
  expect(await local.text()).toMatch(/refused the connection|closed the connection/);
  await stack.startPlant();
  await openTags(ada, "Oil temperature");
  await eventually(
    "good again",
    () => ada.valueState(TEMPERATURE),
    (state) => state === "live",
    30_000,
  );
}, 90_000);

test("the hub is away for 20 s and comes back: nothing is missing", async () => {
  const tags = await stack.api.all<Tag>("/tags?q=Sensor%20pulses");
  const tag = tags.find((candidate) => candidate.path === PULSES)!;
  await openTags(ada, "Sensor pulses");
  await eventually(
    "live",
    () => ada.valueState(PULSES),
    (state) => state === "live",
  );
  const fromMs = Date.now();
  await Bun.sleep(3_000);
  await stack.hub.stop();
  await eventually(
    "marked offline",
    () => ada.valueState(PULSES),
    (state) => state === "offline",
    13_000,
  );
  await ada.picture("tags-hub-away");
  await Bun.sleep(Math.max(0, fromMs + 23_000 - Date.now()));
  await stack.startHub();
  await eventually(
    "the gateway back within ten seconds",
    async () => (await stack.api.all<Gateway>("/gateways"))[0]!.linkState,
    (state) => state === "up",
    12_000,
  );
  await eventually(
    "live without a reload",
    () => ada.valueState(PULSES),
    (state) => state === "live",
    30_000,
  );
  await Bun.sleep(3_000);
  const toMs = Date.now() - 1_500;
  const range = `from=${new Date(fromMs).toISOString()}&to=${new Date(toMs).toISOString()}`;
  const { series, gaps } = await stack.api.get<RawSamples>(`/samples?tag=${tag.tagNo}&${range}`);
  expect(gaps).toEqual([]);
  const rows = rowsOf(series[0]!);
  const times = rows.map(({ timeMs }) => timeMs);
  const longest = Math.max(...times.slice(1).map((time, index) => time - times[index]!));
  // Read each second; the counter moves every 50 ms, so each reading is a sample.
  expect(longest).toBeLessThan(2_500);
  expect(times[0]! - fromMs).toBeLessThan(2_500);
  expect(rows.every(({ quality }) => quality === "good")).toBe(true);
}, 150_000);

test("a hub that comes back before its gateway shows no old value as live", async () => {
  await stack.gateway.stop();
  await stack.hub.stop();
  await stack.startHub();
  await openTags(ada, "Sensor pulses");
  const state = await eventually(
    "a marked value",
    () => ada.valueState(PULSES),
    (found) => found !== null && found !== "loading" && found !== "live",
  );
  expect(["bad", "offline", "stale"]).toContain(String(state));
  await stack.startGateway();
  await eventually(
    "live",
    () => ada.valueState(PULSES),
    (found) => found === "live",
    30_000,
  );
}, 90_000);

test("a reload without any network shows the shell, and every value is marked", async () => {
  await openTags(ada, "Press");
  await eventually(
    "live",
    () => ada.valueState(TEMPERATURE),
    (state) => state === "live",
  );
  await ada.page.evaluate("navigator.serviceWorker.ready.then(() => true)");
  await Bun.sleep(2_500);
  await ada.context.setOffline(true);
  try {
    await ada.page.reload();
    await eventually(
      "values from the last visit",
      () => ada.find("value-cell").count(),
      (count) => count > 3,
    );
    await ada.find("offline-banner").waitFor();
    const states = await ada
      .find("value-cell")
      .evaluateAll((cells) => cells.map((cell) => cell.getAttribute("data-state")));
    expect(states.filter((state) => state === "live" || state === null)).toEqual([]);
    await ada.picture("tags-offline-reload");
  } finally {
    await ada.context.setOffline(false);
  }
  await eventually(
    "live once the network is back",
    () => ada.valueState(TEMPERATURE),
    (state) => state === "live",
    60_000,
  );
}, 120_000);

test("screens have no accessibility violations, on tablet and phone, light and dark", async () => {
  const found: string[] = [];
  for (const [size, viewport, scheme] of [
    ["tablet", TABLET, "light"],
    ["portrait", TABLET_PORTRAIT, "dark"],
    ["phone", PHONE, "dark"],
  ] as const) {
    const person = await Person.arrive(browser, viewport, scheme);
    await signIn(person, stack.hubUrl);
    const [{ id: gateway }] = await stack.api.all<{ id: string }>("/gateways");
    const [{ tagNo }] = await stack.api.all<{ tagNo: number }>("/tags");
    for (const path of ["/", "/gateways", `/gateways/${gateway}`, "/tags", `/tags/${tagNo}`, "/more"]) {
      await person.page.goto(stack.hubUrl + path);
      await person.page.waitForLoadState("networkidle");
      const name = path.replace(gateway, "one").replaceAll("/", "-");
      await person.picture(`${size}-${scheme}${path === "/" ? "-overview" : name}`);
      const { violations } = await new AxeBuilder({ page: person.page }).analyze();
      found.push(
        ...violations.map((each) => `${size} ${scheme} ${path}: ${each.id} ${each.nodes[0]?.target}`),
      );
    }
    expect(person.errors).toEqual([]);
    await person.context.close();
  }
  expect(found).toEqual([]);
}, 180_000);

test("no script of the whole visit failed", () => {
  expect(ada.errors).toEqual([]);
});
