import { afterAll, beforeAll, expect, test } from "bun:test";
import { AxeBuilder } from "@axe-core/playwright";
import type { BusAnswer } from "@millrace/contract/api/bus";
import type { Device } from "@millrace/contract/api/plant";
import type { Page } from "playwright-core";
import type { Stack } from "../stack/stack.ts";
import { eventually, Person, PHONE, signIn, TABLET } from "./browser.ts";
import { openSceneWithAda, type Scene } from "./scene.ts";

/** A unit with a wrong number: the same cause is read at the hub and at the gateway's own page. */

const PIN = "93810246";
// The converter of the simulated plant answers for units it does not have, as real ones do.
const CAUSE = /^The converter says that unit 77 is away .* its unit number 77\?$/;
let scene: Scene | undefined;
let stack: Stack;
let ada: Person;
let device: Device;

beforeAll(async () => {
  const opened = await openSceneWithAda("bus-doctor");
  scene = opened;
  ({ stack, ada } = opened);
  const [first] = await stack.api.all<Device>("/devices");
  const { profileId, gatewayId, siteId, settings } = first!;
  device = await stack.api.post<Device>("/devices", {
    name: "Press with a wrong number",
    profileId,
    gatewayId,
    siteId,
    settings: { ...settings, unit: 77, timeoutMs: 200 },
  });
}, 120_000);

afterAll(() => scene?.close(), 60_000);

async function clean(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag22aa"]).analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
}

const finding = (person: Person) =>
  person.page.locator('[data-testid="bus-finding"][data-kind="unit.away"]').first();

test("the hub names the unit, its number and the setting, at the gateway's page and at the device's", async () => {
  const path = `/gateways/${device.gatewayId}/bus`;
  await eventually(
    "the cause is known",
    async () => (await stack.api.get<BusAnswer>(path)).connections.flatMap(({ findings }) => findings),
    (findings) => findings.some(({ kind, units }) => kind === "unit.away" && units.includes(77)),
    30_000,
  );
  await ada.page.goto(`${stack.hubUrl}/gateways/${device.gatewayId}`);
  await ada.find("bus-doctor").locator("summary").first().click();
  await finding(ada).waitFor({ timeout: 30_000 });
  expect(await finding(ada).locator("p").innerText()).toMatch(CAUSE);
  expect(await finding(ada).innerText()).toContain("unit");
  await finding(ada).scrollIntoViewIfNeeded();
  await clean(ada.page);
  await ada.picture("bus-gateway");
  await ada.page.goto(`${stack.hubUrl}/plant/devices/${device.id}`);
  await ada.find("bus-doctor").locator("summary").first().click();
  await finding(ada).waitFor({ timeout: 30_000 });
  await finding(ada).scrollIntoViewIfNeeded();
  await ada.picture("bus-device");
  // Only the connection of this device.
  expect(await ada.find("bus-doctor").locator("section.line").count()).toBe(1);
  const bo = await Person.arrive(scene!.browser, PHONE, "dark");
  await signIn(bo, stack.hubUrl);
  await bo.page.goto(`${stack.hubUrl}/plant/devices/${device.id}`);
  await bo.find("bus-doctor").locator("summary").first().click();
  await finding(bo).waitFor({ timeout: 30_000 });
  await finding(bo).scrollIntoViewIfNeeded();
  await clean(bo.page);
  await bo.picture("bus-device-phone-dark");
  // The gateway goes: what is shown stays, with its time.
  await stack.gateway.stop();
  await bo.find("bus-doctor").getByText(/as of/).first().waitFor({ timeout: 60_000 });
  await bo.picture("bus-away-phone-dark");
  await stack.startGateway();
  expect([...ada.errors, ...bo.errors]).toEqual([]);
  await bo.context.close();
}, 180_000);

test("the gateway's own page names it without scripts, shows the unit's figures and counts anew", async () => {
  const context = await scene!.browser.newContext({ javaScriptEnabled: false, viewport: PHONE });
  const page = await context.newPage();
  await page.goto(stack.localUrl);
  await page.getByLabel("Your name").fill("Ada");
  await page.getByLabel("PIN").fill(stack.firstPin);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByLabel("New PIN", { exact: true }).fill(PIN);
  await page.getByLabel("New PIN again").fill(PIN);
  await page.getByRole("button", { name: "Take this PIN" }).click();
  await page.getByRole("link", { name: "Bus doctor" }).click();
  await eventually(
    "the cause is on the page",
    async () => {
      await page.goto(`${stack.localUrl}/doctor`);
      return await page.locator("main").innerText();
    },
    (text) => text.includes("unit 77 is away"),
    30_000,
  );
  await picture(page, "bus-local-phone");
  await page.locator("section", { hasText: "unit 77 is away" }).getByRole("link").first().click();
  await page.getByText("What each unit did").waitFor();
  await page.getByRole("button", { name: "Count anew for this connection" }).click();
  await page.getByText("Counted anew from now on.").waitFor();
  await context.close();
  const tablet = await Person.arrive(scene!.browser, TABLET, "dark");
  await tablet.page.goto(stack.localUrl);
  await tablet.page.getByLabel("Your name").fill("Bo");
  await tablet.page.getByLabel("PIN").fill(PIN);
  await tablet.page.getByRole("button", { name: "Sign in" }).click();
  await tablet.page.getByRole("link", { name: "Bus doctor" }).click();
  await tablet.page.locator("main section").first().getByRole("link").first().click();
  await tablet.page.getByText("What each unit did").waitFor();
  await clean(tablet.page);
  await tablet.picture("bus-local-tablet-dark");
  await tablet.context.close();
}, 120_000);

async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.MILLRACE_PICTURES;
  if (folder) await page.screenshot({ path: `${folder}/${name}.png` });
}
