import { afterAll, beforeAll, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { AxeBuilder } from "@axe-core/playwright";
import type { Gateway } from "@millrace/contract/api/gateway";
import type { GatewayHealth } from "@millrace/contract/api/gateway-health";
import type { Browser, Page } from "playwright-core";
import type { Stack } from "../stack/stack.ts";
import { eventually, Person, PHONE, TABLET } from "./browser.ts";
import { openScene, type Scene } from "./scene.ts";

/** A technician at the cabinet: the gateway's own page, in a real browser, with and without scripts. */

const PIN = "93810246";
const PAGE_BYTES_MAX = 30 * 1024;
const TARGET_PX_MIN = 80;

let scene: Scene | undefined;
let stack: Stack;
let browser: Browser;

beforeAll(async () => {
  scene = await openScene("local-page");
  ({ stack, browser } = scene);
}, 120_000);

afterAll(() => scene?.close(), 60_000);

async function signIn(page: Page, pin: string): Promise<void> {
  await page.goto(stack.localUrl);
  await page.getByLabel("Your name").fill("Ada");
  await page.getByLabel("PIN").fill(pin);
  await page.getByRole("button", { name: "Sign in" }).click();
}

async function health(): Promise<GatewayHealth> {
  const [gateway] = await stack.api.all<Gateway>("/gateways");
  return await stack.api.get<GatewayHealth>(`/gateways/${gateway!.id}/health`);
}

test("S45: without scripts a stranger sees a light; with the first PIN a technician chooses one and sees the four links", async () => {
  const context = await browser.newContext({ javaScriptEnabled: false, viewport: PHONE });
  const page = await context.newPage();
  await page.goto(stack.localUrl);
  const light = await page.locator("body").innerText();
  for (const word of ["Working", "Sign in"]) expect(light).toContain(word);
  for (const word of ["Demo", "manifest", "key"]) expect(light).not.toContain(word);
  await signIn(page, "00000000");
  expect(await page.locator("main").innerText()).toContain("That PIN is wrong. 4 more tries.");
  await signIn(page, stack.firstPin);
  await page.getByLabel("New PIN", { exact: true }).fill(PIN);
  await page.getByLabel("New PIN again").fill(PIN);
  await page.getByRole("button", { name: "Take this PIN" }).click();
  await page.getByRole("link", { name: "Status" }).click();
  const text = await page.locator("main").innerText();
  for (const link of ["Power", "Devices", "Buffer", "Hub"]) expect(text).toContain(link);
  let bytes = 0;
  for (const path of ["/", "/style.css", "/live.js"])
    bytes += gzipSync(await (await page.context().request.get(stack.localUrl + path)).text()).length;
  expect(bytes).toBeLessThan(PAGE_BYTES_MAX);
  await context.close();
}, 60_000);

test("S45: commissioning mode lets a device be tried and restarted, is seen at the hub, and is told there", async () => {
  const ada = await Person.arrive(browser, PHONE);
  const { page } = ada;
  await signIn(page, PIN);
  await page.getByRole("link", { name: "Work" }).click();
  await page.getByRole("button", { name: "Switch it on" }).click();
  await page.locator(".switched").filter({ hasText: "Commissioning mode is on" }).waitFor();
  await eventually(
    "told at the hub",
    async () => (await health()).findings.map(({ code }) => code),
    (codes) => codes.includes("commissioning.on"),
  );
  await page.getByRole("button", { name: "Test the connection of Press 1" }).click();
  await page.locator(".told").filter({ hasText: "Press 1 answers" }).waitFor();
  await page.getByRole("button", { name: "Restart the link of Press 1" }).click();
  await page.locator(".told").filter({ hasText: "was restarted" }).waitFor();
  await page.getByRole("button", { name: "Lock out" }).click();
  await page.getByRole("button", { name: "End it now" }).click();
  await eventually(
    "over at the hub, locked out",
    async () => (await health()).local,
    (local) => local?.commissioningUntil === null && local.lockedOut,
  );
  await page.getByRole("button", { name: "Release" }).click();
  const told = ["local.signedIn", "local.refused", "local.pinChanged", "commissioning.began"];
  told.push(
    "local.deviceTested",
    "local.deviceRestarted",
    "lockout.set",
    "commissioning.ended",
    "lockout.released",
  );
  for (const code of told)
    await eventually(
      code,
      () => stack.api.all<{ code: string }>(`/events?code=${code}`),
      (events) => events.length > 0,
      15_000,
    );
  expect(ada.errors).toEqual([]);
  await ada.context.close();
}, 90_000);

test("the page renews itself, says when the gateway is gone, and after its restart asks who is there", async () => {
  const { page, context } = await Person.arrive(browser, PHONE);
  await signIn(page, PIN);
  const made = page.locator("header time");
  const first = await made.innerText();
  await eventually(
    "a newer page",
    () => made.innerText(),
    (text) => text !== first,
    8_000,
  );
  await stack.gateway.stop();
  await page.locator("#lost").waitFor({ state: "visible", timeout: 8_000 });
  await stack.startGateway();
  await page.getByRole("button", { name: "Sign in" }).waitFor({ timeout: 15_000 });
  await context.close();
}, 60_000);

/** Buttons, fields and links of the navigation that a glove would miss. */
const smallTargets = (page: Page): Promise<string[]> =>
  page
    .locator("button, input:not([type=hidden]), nav a")
    .evaluateAll(
      (all, min) =>
        all
          .filter((one) => one.getBoundingClientRect().height < min)
          .map((one) => one.textContent || one.getAttribute("name") || ""),
      TARGET_PX_MIN,
    );

test("the pages are accessible, light on a phone and dark on a tablet, and their targets are big", async () => {
  const found: string[] = [];
  const look = async (person: Person, name: string) => {
    await person.picture(`gateway-page-${name}`);
    const { violations } = await new AxeBuilder({ page: person.page }).analyze();
    found.push(...violations.map((each) => `${name}: ${each.id} ${each.nodes[0]?.target}`));
    found.push(...(await smallTargets(person.page)).map((what) => `${name}: small ${what}`));
  };
  for (const [size, viewport, scheme] of [
    ["phone", PHONE, "light"],
    ["tablet", TABLET, "dark"],
  ] as const) {
    const person = await Person.arrive(browser, viewport, scheme);
    const name = (page: string) => `${size}-${scheme}-${page}`;
    await person.page.goto(stack.localUrl);
    await look(person, name("stranger"));
    await signIn(person.page, PIN);
    for (const path of ["/", "/tags", "/service", "/pin"]) {
      await person.page.goto(stack.localUrl + path);
      await look(person, name(path === "/" ? "status" : path.slice(1)));
    }
    await person.page.goto(`${stack.localUrl}/service`);
    await person.page.getByRole("button", { name: /Switch it on|min from now/ }).click();
    await look(person, name("work-on"));
    await person.context.close();
  }
  expect(found).toEqual([]);
}, 90_000);
