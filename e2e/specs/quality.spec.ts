import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import type { AuditVerdict } from "@millrace/contract/api/audit";
import { type DataQuality, QUALITY_DIMENSIONS } from "@millrace/contract/api/data-quality";
import type { Gateway } from "@millrace/contract/api/gateway";
import type { Stack } from "../stack/stack.ts";
import { eventually, type Person, PHONE, TABLET } from "./browser.ts";
import { openSceneWithAda, type Scene } from "./scene.ts";

/** How far the hub may be trusted: data quality on a gateway's page, and the audit, on the real stack. */

let scene: Scene | undefined;
let stack: Stack;
let ada: Person;
let gatewayId: string;

beforeAll(async () => {
  const opened = await openSceneWithAda("quality");
  scene = opened;
  ({ stack, ada } = opened);
  gatewayId = (await stack.api.all<Gateway>("/gateways"))[0]!.id;
}, 120_000);

afterAll(() => scene?.close(), 60_000);

const viewOf = (id: "gateway-quality" | "audit") => ada.find(id).getAttribute("data-view");
const loaded = (id: "gateway-quality" | "audit") =>
  eventually(
    `${id} loaded`,
    () => viewOf(id),
    (view) => view === "live",
  );

/** Looks at the screen in both themes and on both sizes. */
async function isClean(name: string): Promise<void> {
  for (const [size, viewport] of Object.entries({ tablet: TABLET, phone: PHONE })) {
    await ada.page.setViewportSize(viewport);
    for (const colorScheme of ["light", "dark"] as const) {
      await ada.page.emulateMedia({ colorScheme });
      const { violations } = await new AxeBuilder({ page: ada.page }).analyze();
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
      const wider = await ada.page.evaluate("document.documentElement.scrollWidth - innerWidth");
      expect([name, size, wider]).toEqual([name, size, 0]);
      await ada.picture(`${name}-${size}-${colorScheme}`);
    }
  }
  await ada.page.setViewportSize(TABLET);
}

/** Places to touch inside a part of the screen that are lower than 48 px. */
const tooLow = (id: "gateway-quality" | "audit"): Promise<string[]> =>
  ada
    .find(id)
    .locator("button, a.button, summary, label.button, input:not([type=radio])")
    .evaluateAll((parts) =>
      parts
        .map((part) => ({ height: part.getBoundingClientRect().height, html: part.outerHTML.slice(0, 100) }))
        .filter(({ height }) => height > 0 && height < 48)
        .map(({ html }) => html),
    );

test("a plant that began a moment ago has no figures made up for it", async () => {
  await ada.page.goto(`${stack.hubUrl}/gateways/${gatewayId}`);
  await loaded("gateway-quality");
  const texts = await ada.find("gateway-quality").innerText();
  expect(texts).toContain("Not known");
  const devices = ada.find("quality-device");
  expect(await devices.count()).toBeGreaterThan(1);
  await devices.first().locator("summary").focus();
  await ada.page.keyboard.press("Enter");
  await devices.first().locator('[data-dimension="accuracy"]').waitFor();
  // Freshness is of now, so it is known already.
  await eventually(
    "fresh values",
    async () => await stack.api.get<DataQuality>(`/data-quality?gatewayId=${gatewayId}`),
    ({ items }) => items.every(({ scores }) => scores.freshness.percent !== null),
    30_000,
  );
  expect(await tooLow("gateway-quality")).toEqual([]);
}, 90_000);

test("with figures there are five scores, what each is made of, and the weakest in front", async () => {
  const answer = await stack.api.get<DataQuality>(`/data-quality?gatewayId=${gatewayId}`);
  const score = (percent: number, of = 2_880) => ({ percent, why: null, part: (of * percent) / 100, of });
  // A plant of a day, which this test cannot wait for.
  const scores = {
    accuracy: score(97.5, 16_560),
    completeness: score(95.8333),
    integrity: score(98.57, 16_800),
    consistency: score(99.86, 2_878),
    freshness: score(83.3333, 12),
    overall: { percent: 83.3333, why: null, weakest: "freshness" as const },
  };
  await ada.page.route("**/api/v1/data-quality?*", (route) => {
    const window = new URL(route.request().url()).searchParams.get("window") as "24h" | "7d";
    return route.fulfill({
      json: {
        ...answer,
        window,
        gateway: { ...answer.gateway!, scores, staleTags: 2, badSamples: 240 },
        items: answer.items.map((item, i) => (i === 0 ? item : { ...item, scores, frozenTags: i })),
      },
    });
  });
  await ada.page.reload();
  await loaded("gateway-quality");
  const panel = ada.find("gateway-quality");
  expect(await panel.locator("[data-dimension]").count()).toBeGreaterThanOrEqual(QUALITY_DIMENSIONS.length);
  expect(await panel.innerText()).toContain("The lowest is freshness");
  await ada.find("quality-window").nth(1).check();
  await panel.locator('[data-window="7d"]').waitFor();
  await ada.find("quality-device").first().locator("summary").click();
  await panel.scrollIntoViewIfNeeded();
  await isClean("quality");
  await ada.page.unroute("**/api/v1/data-quality?*");
}, 90_000);

test("a device's own page has its scores, and says when they cannot be had", async () => {
  const { items } = await stack.api.get<DataQuality>(`/data-quality?gatewayId=${gatewayId}`);
  await ada.page.goto(`${stack.hubUrl}/plant/devices/${items[0]!.deviceId}`);
  const panel = ada.find("device-quality");
  await eventually(
    "scores",
    () => panel.getAttribute("data-view"),
    (view) => view === "live",
  );
  expect(await panel.locator("[data-dimension]").count()).toBe(QUALITY_DIMENSIONS.length);
  await panel.scrollIntoViewIfNeeded();
  await isClean("quality-device");
  await ada.page.route("**/api/v1/data-quality?*", (route) => route.abort());
  await ada.page.reload();
  await eventually(
    "a failed panel beside a working form",
    () => panel.getAttribute("data-view"),
    (view) => view === "failed",
  );
  await ada.find("device-form").waitFor();
  await ada.page.unroute("**/api/v1/data-quality?*");
  await panel.getByRole("button", { name: "Try again" }).click();
  await panel.locator("[data-dimension]").first().waitFor();
}, 90_000);

test("More leads to the audit, which tells old, new and from where", async () => {
  await ada.page.goto(`${stack.hubUrl}/more`);
  await ada.find("audit-open").click();
  await loaded("audit");
  const made = ada.page.locator('[data-testid="audit-row"][data-action="device.create"]').first();
  await made.locator("summary").focus();
  await ada.page.keyboard.press("Enter");
  await made.locator("table").waitFor();
  const text = await made.innerText();
  expect(text).toContain("MILLRACE_ADMIN_API_KEY");
  expect(text).toMatch(/(127\.0\.0\.1|::1), a program/);
  expect(await tooLow("audit")).toEqual([]);
}, 60_000);

test("a filter narrows the list, stands in the address, and can be taken away", async () => {
  await ada.page.locator('[data-testid="audit-filter"][data-name="action"]').selectOption("person.*");
  await ada.find("audit-apply").click();
  await ada.page.waitForURL(/\/audit\?action=person/);
  await eventually(
    "one kind of entry",
    () => ada.find("audit-row").evaluateAll((rows) => rows.map((row) => row.getAttribute("data-action"))),
    (actions) => actions.length === 1 && actions[0] === "person.create",
  );
  await ada.page.reload();
  await loaded("audit");
  expect(await ada.find("audit-row").count()).toBe(1);
  await ada.page.locator('[data-testid="audit-filter"][data-name="subject"]').selectOption("gateway:*");
  await ada.find("audit-apply").click();
  await ada.page.getByText("No entry fits this filter").waitFor();
  await ada.find("audit-clear").click();
  await eventually(
    "all entries",
    () => ada.find("audit-row").count(),
    (count) => count > 3,
  );
  // From an entry to all that was done to the same thing.
  const made = ada.page.locator('[data-testid="audit-row"][data-action="device.create"]').first();
  await made.locator("summary").click();
  await made.getByRole("link", { name: "this thing" }).click();
  await eventually(
    "entries of one device",
    () => ada.find("audit-row").count(),
    (count) => count === 1,
  );
  await ada.find("audit-clear").click();
}, 60_000);

test("the check says that the audit holds, and in the same place when it does not", async () => {
  await ada.find("audit-verify").click();
  await ada.page.locator('[data-testid="audit-verdict"][data-ok="true"]').waitFor();
  await ada.find("audit-row").first().locator("summary").click();
  await isClean("audit");
  const broken: AuditVerdict = {
    ok: false,
    rows: 6,
    anchors: 0,
    newestAnchor: null,
    firstBroken: { no: 7, why: "row.changed" },
  };
  await ada.page.route("**/api/v1/audit/verify", (route) => route.fulfill({ json: broken }));
  await ada.find("audit-verify").click();
  await ada.page.locator('[data-testid="audit-verdict"][data-ok="false"]').waitFor();
  expect(await ada.find("audit-verdict").innerText()).toContain("does not hold from entry 7 on");
  await isClean("audit-broken");
  await ada.page.unroute("**/api/v1/audit/verify");
  const address = await ada.find("audit-export").getAttribute("href");
  const cookies = (await ada.context.cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
  const lines = (
    await (await fetch(new URL(address!, stack.hubUrl), { headers: { cookie: cookies } })).text()
  )
    .trimEnd()
    .split("\n");
  expect(JSON.parse(lines.at(-1)!)).toMatchObject({ kind: "end", no: expect.any(Number) });
}, 60_000);

test("S49: the hub finds by itself that the newest entries were cut off, and every screen says so", async () => {
  const line = (look: string) =>
    ada.page.locator(`[data-testid="audit-state-line"][data-name="chain"][data-look="${look}"]`);
  await line("good").waitFor();
  expect(await ada.find("audit-alarm").count()).toBe(0);
  // As if the hub had known later entries than the database has: what it kept when it ended says so.
  await stack.hub.stop();
  const file = join(stack.hubFolder, "keys", "audit-head.json");
  const kept = readFileSync(file, "utf8");
  const { no, hash } = JSON.parse(kept);
  writeFileSync(file, JSON.stringify({ no: no + 3, hash }));
  await stack.startHub();
  await ada.page.reload();
  await line("bad").waitFor({ timeout: 40_000 });
  expect(await line("bad").innerText()).toContain(`Altered from entry ${no + 1} on`);
  await isClean("audit-altered");
  await ada.page.goto(`${stack.hubUrl}/gateways`);
  expect(await ada.find("audit-alarm").innerText()).toContain("altered from entry");
  await isClean("audit-alarm");
  await stack.hub.stop();
  writeFileSync(file, kept);
  await stack.startHub();
  await ada.page.goto(`${stack.hubUrl}/audit`);
  await line("good").waitFor({ timeout: 40_000 });
}, 120_000);

test("without the hub the entries stay, as of then, and what needs the hub is shut", async () => {
  await ada.find("audit-row").nth(3).waitFor({ timeout: 40_000 });
  await stack.hub.stop();
  await ada.find("offline-banner").waitFor({ timeout: 40_000 });
  expect(await ada.find("audit-row").count()).toBeGreaterThan(3);
  expect(await ada.find("audit-verify").isDisabled()).toBe(true);
  expect(await ada.find("audit").innerText()).toContain("as of");
  await isClean("audit-offline");
  expect(ada.errors).toEqual([]);
}, 90_000);
