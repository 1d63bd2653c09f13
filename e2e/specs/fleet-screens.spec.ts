import { afterAll, beforeAll, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { AxeBuilder } from "@axe-core/playwright";
import type { GatewayCommand } from "@millrace/contract/api/command";
import type { Claim } from "@millrace/contract/api/enrolment";
import type { Gateway } from "@millrace/contract/api/gateway";
import type { GatewayHealth } from "@millrace/contract/api/gateway-health";
import type { SupportBundle } from "@millrace/contract/api/support-bundle";
import type { Locator } from "playwright-core";
import type { TestId } from "../../web/src/lib/test-id.ts";
import type { Stack } from "../stack/stack.ts";
import { eventually, type Person, PHONE, TABLET } from "./browser.ts";
import { openSceneWithAda, type Scene } from "./scene.ts";

/** A gateway looked after by screen, on the real stack: nobody goes to the machine. */

let scene: Scene | undefined;
let stack: Stack;
let ada: Person;
let gateway: Gateway;

beforeAll(async () => {
  const opened = await openSceneWithAda("fleet-screens");
  scene = opened;
  ({ stack, ada } = opened);
  gateway = (await stack.api.all<Gateway>("/gateways"))[0]!;
}, 120_000);

afterAll(() => scene?.close(), 60_000);

const health = () => stack.api.get<GatewayHealth>(`/gateways/${gateway.id}/health`);
const attribute = (what: string, place: Locator, name: string, wanted: string, withinMs = 20_000) =>
  eventually(
    what,
    () => place.getAttribute(name),
    (found) => found === wanted,
    withinMs,
  );
async function openGateway(person = ada): Promise<void> {
  await person.page.goto(`${stack.hubUrl}/gateways/${gateway.id}`);
  await attribute("the health", person.find("gateway-health"), "data-view", "live");
}
const device = (name: string) => ada.page.locator(`[data-testid="device-link"][data-device-name="${name}"]`);

/** Looks at the screen as it is on a tablet in the light and on a phone in the dark. */
async function isClean(name: string, at?: TestId): Promise<void> {
  for (const [size, viewport, colorScheme] of [
    ["tablet", TABLET, "light"],
    ["phone", PHONE, "dark"],
  ] as const) {
    await ada.page.setViewportSize(viewport);
    await ada.page.emulateMedia({ colorScheme });
    if (at !== undefined) await ada.find(at).first().scrollIntoViewIfNeeded();
    const { violations } = await new AxeBuilder({ page: ada.page }).analyze();
    expect([name, size, violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)]).toEqual([
      name,
      size,
      [],
    ]);
    const wider = await ada.page.evaluate("document.documentElement.scrollWidth - innerWidth");
    expect([name, size, wider]).toEqual([name, size, 0]);
    await ada.picture(`fleet-${name}-${size}-${colorScheme}`);
  }
  await ada.page.setViewportSize(TABLET);
  await ada.page.emulateMedia({ colorScheme: "light" });
}

/** Places to touch inside a part of the screen that are lower than 48 px. */
const tooLow = (id: TestId): Promise<string[]> =>
  ada
    .find(id)
    .locator("button, a.button, summary, select, input:not([type=radio])")
    .evaluateAll((parts) =>
      parts
        .map((part) => ({ height: part.getBoundingClientRect().height, html: part.outerHTML.slice(0, 100) }))
        .filter(({ height }) => height > 0 && height < 48)
        .map(({ html }) => html),
    );

test("a gateway that is well has its figures, and nothing to report", async () => {
  await eventually(
    "every device read",
    health,
    ({ devices, buffer }) =>
      devices.length > 0 && buffer !== null && devices.every(({ linkState }) => linkState === "up"),
    40_000,
  );
  await openGateway();
  await ada.find("gateway-health").getByText("Nothing to report.").waitFor();
  const text = await ada.find("gateway-health").innerText();
  for (const words of [
    "Last seen",
    "as wanted",
    "the hub's",
    "Lasts without the hub",
    "of one core",
    "free of",
  ])
    expect(text).toContain(words);
  expect(text).toContain((await health()).versions.gateway!);
  await eventually(
    "facts of a device",
    () => device("Press 1").innerText(),
    (found) => /tags good · answers in/.test(found),
  );
  expect(await tooLow("gateway-detail")).toEqual([]);
  await isClean("well");
}, 120_000);

test("labels are set, found again in the list, and two people at once lose nothing", async () => {
  const second = await stack.api.post<Gateway>("/gateways", { name: "Spare", siteId: gateway.siteId });
  const labels = ada.find("gateway-labels");
  await labels.getByRole("button", { name: "Add labels" }).click();
  await ada.find("label-input").fill("hall 3");
  await ada.page.keyboard.press("Enter");
  await ada.find("label-input").fill("hall 3");
  await labels.getByText("This label is there already.").waitFor();
  await ada.find("label-input").fill("pilot");
  // Meanwhile somebody else was quicker.
  const { revision } = await stack.api.get<Gateway>(`/gateways/${gateway.id}`);
  const path = `/gateways/${gateway.id}/labels`;
  await stack.api.put(path, { labels: ["north"] }, { "if-match": `"${revision}"` });
  await ada.find("label-save").click();
  await labels.getByText("Somebody changed the labels meanwhile. They are now: north.").waitFor();
  await isClean("labels-conflict", "gateway-labels");
  await labels.getByRole("button", { name: "Put my changes on top" }).click();
  await ada.find("label-save").click();
  await labels.getByRole("link", { name: "pilot" }).waitFor();
  expect((await stack.api.get<Gateway>(`/gateways/${gateway.id}`)).labels).toEqual([
    "hall 3",
    "north",
    "pilot",
  ]);
  await labels.getByRole("link", { name: "hall 3" }).click();
  await ada.page.waitForURL(/\/gateways\?label=hall\+3$/);
  const names = () =>
    ada.find("gateway-row").evaluateAll((rows) => rows.map((row) => row.getAttribute("data-gateway-name")));
  expect(await names()).toEqual([gateway.name]);
  await ada.find("label-filter").getByRole("button", { name: "north" }).click();
  await ada.page.reload();
  await ada.find("gateway-row").first().waitFor();
  expect(await names()).toEqual([gateway.name]);
  await isClean("list", "label-filter");
  await ada.page.getByRole("button", { name: "Show all gateways" }).click();
  expect((await names()).toSorted()).toEqual([gateway.name, second.name].toSorted());
}, 90_000);

test("a device's connection is restarted after a question, and the outcome is told", async () => {
  await openGateway();
  const press = device("Press 1");
  await press.getByRole("button", { name: "Restart connection" }).focus();
  await ada.page.keyboard.press("Enter");
  await press.getByText("Nothing is written to the machine.").waitFor();
  await isClean("restart-asked", "restart-device");
  await press.getByRole("button", { name: "Leave it" }).click();
  const sent = () => stack.api.get<{ items: GatewayCommand[] }>(`/gateways/${gateway.id}/commands`);
  expect((await sent()).items).toEqual([]);
  await press.getByRole("button", { name: "Restart connection" }).click();
  await ada.find("command-confirm", press).click();
  await attribute("the outcome", ada.find("command-result", press), "data-ok", "true");
  expect((await sent()).items.map(({ body, state }) => [body.kind, state])).toEqual([
    ["restartDevice", "done"],
  ]);
  await isClean("restarted", "restart-device");
}, 90_000);

test("more detail is asked for, seen with its end, and taken back", async () => {
  const level = ada.find("log-level");
  await ada.find("log-minutes").selectOption("30");
  await level.getByRole("button", { name: "More detail for 30 minutes" }).click();
  await attribute("the outcome", ada.find("command-result", level), "data-ok", "true");
  await attribute("the level", level, "data-raised", "true");
  const { log } = await health();
  expect(log!.level).toBe("info");
  expect(Date.parse(log!.until!) - Date.now()).toBeGreaterThan(28 * 60_000);
  await isClean("level", "log-level");
  await level.getByRole("button", { name: "Back to the standard now" }).click();
  await attribute("the level", level, "data-raised", "false");
}, 60_000);

test("the file for whoever helps is made and saved", async () => {
  const saving = ada.page.waitForEvent("download");
  await ada.find("support-bundle").click();
  const file = await saving;
  expect(file.suggestedFilename()).toMatch(/^support-[\w-]+\.json$/);
  const bundle = (await Bun.file(await file.path()).json()) as SupportBundle;
  expect([bundle.format, bundle.gateway.id, bundle.madeBy]).toEqual([1, gateway.id, "Ada Berg"]);
  await ada.page.getByText(/is with your downloads/).waitFor();
}, 60_000);

test("a plant that is gone is told on the gateway's page, and its log is found by text", async () => {
  await stack.plant.stop();
  await ada.find("health-finding").first().waitFor({ timeout: 60_000 });
  expect(await ada.find("gateway-health").innerText()).toContain("Error");
  await attribute("the lost device", device("Press 1"), "data-look", "bad", 40_000);
  await isClean("lost", "gateway-health");
  await ada.page.goto(`${stack.hubUrl}/more`);
  await ada.find("logs-open").click();
  await ada.page.locator('[data-testid="log-filter"][data-name="q"]').fill("not readable");
  await ada.page.locator('[data-testid="log-filter"][data-name="gateway"]').selectOption(gateway.id);
  await ada.find("log-apply").click();
  await ada.page.waitForURL(/\/logs\?gateway=.*q=not\+readable/);
  await ada.find("log-row").first().waitFor();
  await ada.page.reload();
  const rows = ada.find("log-row");
  await rows.first().locator("summary").focus();
  await ada.page.keyboard.press("Enter");
  await eventually(
    "the record opened",
    () => rows.first().innerText(),
    (text) => /Warning[\s\S]*not readable[\s\S]*Said by/i.test(text),
  );
  expect(await tooLow("logs")).toEqual([]);
  await isClean("logs");
  await ada.page.locator('[data-testid="log-filter"][data-name="q"]').fill("nothing of the kind");
  await ada.page.keyboard.press("Enter");
  await ada.page.getByText("No record fits this search").waitFor();
  await stack.startPlant();
}, 120_000);

test("older records come page by page", async () => {
  const at = (n: number) => new Date(Date.UTC(2026, 10, 26, 8) - n * 1_000).toISOString();
  const row = (n: number) => ({
    gatewayId: gateway.id,
    gatewayName: gateway.name,
    time: at(n),
    receivedAt: n === 3 ? new Date(Date.UTC(2026, 10, 26, 9)).toISOString() : at(n),
    level: n % 10 === 0 ? "error" : n % 3 === 0 ? "warning" : "info",
    logger: "gateway.uplink",
    message: `Line ${n}`,
    deviceId: null,
    data: { n },
  });
  // More than this test could let a gateway say.
  await ada.page.route("**/api/v1/logs?*", (route) => {
    const from = Number(new URL(route.request().url()).searchParams.get("cursor") ?? 0);
    const items = Array.from({ length: 100 }, (_, i) => row(from + i));
    return route.fulfill({ json: { items, nextCursor: from === 0 ? "100" : null } });
  });
  await ada.page.goto(`${stack.hubUrl}/logs`);
  await ada.find("log-more").click();
  await ada.page.getByText("Line 199").waitFor();
  expect(await ada.find("log-row").count()).toBe(200);
  await ada.page.evaluate("scrollTo(0, 0)");
  await isClean("logs-many");
  await ada.page.unroute("**/api/v1/logs?*");
}, 60_000);

test("a machine takes another's place, and the page shows its fingerprint", async () => {
  await openGateway();
  await ada.find("machine-replaced").locator("summary").click();
  await ada.find("claim-make").click();
  const command = await ada.find("claim-command").innerText();
  await isClean("replaced", "machine-replaced");
  const token = /MILLRACE_CLAIM_TOKEN=(\S+)/.exec(command)![1] satisfies Claim["claimToken"] | undefined;
  await stack.gateway.stop();
  await attribute("the gateway away", ada.find("gateway-detail"), "data-link-state", "down", 40_000);
  await attribute("its figures old", ada.find("gateway-health"), "data-old", "true");
  expect(await ada.find("restart-gateway").getByRole("button").isDisabled()).toBe(true);
  await isClean("away");
  rmSync(stack.gatewayFolder, { recursive: true });
  await stack.startGateway(token);
  await ada
    .find("machine-replaced")
    .getByText(/The new machine is in/)
    .waitFor({ timeout: 40_000 });
  const after = await stack.api.get<Gateway>(`/gateways/${gateway.id}`);
  expect(after.fingerprint).not.toBe(gateway.fingerprint);
  expect(await ada.find("gateway-fingerprint").innerText()).toBe(after.fingerprint!);
  await isClean("replaced-in", "machine-replaced");
}, 120_000);

test("the gateway is restarted after a question", async () => {
  await attribute("the gateway back", ada.find("gateway-detail"), "data-link-state", "up", 40_000);
  const restart = ada.find("restart-gateway");
  await restart.getByRole("button").click();
  await restart.getByText("stays down until somebody starts it").waitFor();
  await ada.find("command-confirm", restart).click();
  await stack.gateway.process.exited;
  await stack.startGateway();
  await attribute("the outcome", ada.find("command-result", restart), "data-ok", "true", 60_000);
  await ada.page.getByText("It is back.").waitFor({ timeout: 30_000 });
  await isClean("gateway-restarted", "restart-gateway");
}, 120_000);

test("a machine that is lost is shut out at once, and comes back only with a new command", async () => {
  await attribute("the gateway up", ada.find("gateway-detail"), "data-link-state", "up", 40_000);
  await ada.find("gateway-revoke").click();
  const beganMs = performance.now();
  await ada.find("gateway-revoke-confirm").click();
  await attribute("shut out", ada.find("gateway-detail"), "data-link-state", "down", 5_000);
  console.log(`shut out and seen as that after ${((performance.now() - beganMs) / 1_000).toFixed(1)} s`);
  await isClean("gateway-revoked", "gateway-detail");
  const gatewayId = new URL(ada.page.url()).pathname.split("/").at(-1)!;
  const { claimToken } = await stack.api.post<Claim>(`/gateways/${gatewayId}/claims`, {});
  await stack.gateway.stop();
  // As a machine that comes in the place of the lost one: nothing of it is there.
  rmSync(stack.gatewayFolder, { recursive: true, force: true });
  await stack.startGateway(claimToken);
  await attribute("the gateway back", ada.find("gateway-detail"), "data-link-state", "up", 40_000);
}, 120_000);

test("a panel that fails says so and leaves the others; without the hub all is as of then", async () => {
  await ada.page.route("**/health", (route) => route.abort());
  await ada.page.reload();
  await attribute("a failed panel", ada.find("gateway-health"), "data-view", "failed");
  await ada.find("gateway-events").waitFor();
  await ada.page.unroute("**/health");
  await ada.find("gateway-health").getByRole("button", { name: "Try again" }).click();
  await attribute("the health", ada.find("gateway-health"), "data-view", "live");
  await stack.hub.stop();
  await ada.find("offline-banner").waitFor({ timeout: 40_000 });
  await attribute("figures as of then", ada.find("gateway-health"), "data-old", "true");
  expect(await ada.find("gateway-health").innerText()).toContain("as of");
  expect(await ada.find("support-bundle").isDisabled()).toBe(true);
  await isClean("offline", "gateway-health");
  expect(ada.errors).toEqual([]);
}, 120_000);
