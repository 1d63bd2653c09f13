import { afterAll, beforeAll, expect, test } from "bun:test";
import { AxeBuilder } from "@axe-core/playwright";
import type { ImportReport, TagHistory } from "@millrace/contract/api/history";
import type { Tag } from "@millrace/contract/api/plant";

import type { Stack } from "../stack/stack.ts";
import { eventually, type Person } from "./browser.ts";
import { openSceneWithAda, type Scene } from "./scene.ts";

/** Trends on the real stack: history brought from elsewhere, and what the simulated plant sends meanwhile. */

const TEMPERATURE = "Demo plant/Pressing/Press 1/Oil temperature";
const PRESSURE = "Demo plant/Pressing/Press 1/Oil pressure";
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const STEP_MS = 10_000;

let scene: Scene | undefined;
let stack: Stack;
let ada: Person;
let temperature: Tag;
const oldMs = Math.floor(Date.now() / DAY_MS) * DAY_MS - 10 * DAY_MS;

beforeAll(async () => {
  const opened = await openSceneWithAda("trends");
  scene = opened;
  ({ stack, ada } = opened);
  const tags = await stack.api.all<Tag>("/tags");
  temperature = tags.find(({ path }) => path === TEMPERATURE)!;
}, 120_000);

afterAll(() => scene?.close(), 60_000);

const chart = () => ada.find("trend-chart");
const rangeKind = () => chart().getAttribute("data-range");

async function importDay(): Promise<Response> {
  const lines = ["path,time,value"];
  for (let ms = oldMs; ms < oldMs + DAY_MS; ms += STEP_MS)
    lines.push(
      `${TEMPERATURE},${new Date(ms).toISOString()},${(55 + 5 * Math.sin(ms / HOUR_MS)).toFixed(1)}`,
    );
  return await fetch(`${stack.hubUrl}/api/v1/samples/import`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${stack.apiKey}`,
      "content-type": "text/csv",
      "idempotency-key": "a day of ten days ago",
    },
    body: lines.join("\n"),
  });
}

test("a day of history comes from elsewhere, once", async () => {
  for (let time = 0; time < 2; time++) {
    const answer = await importDay();
    expect(answer.status).toBe(200);
    const report = (await answer.json()) as ImportReport;
    expect([report.imported, report.rejected]).toEqual([DAY_MS / STEP_MS, 0]);
  }
  const history = await stack.api.get<TagHistory>(`/tags/${temperature.tagNo}/history`);
  expect(history.oldest).toBe(new Date(oldMs).toISOString());
}, 30_000);

test("from a tag to its trend, with a second pen, live", async () => {
  await ada.page.goto(`${stack.hubUrl}/tags/${temperature.tagNo}`);
  await ada.find("tag-open-trends").click();
  await chart().waitFor();
  await ada.find("trend-add").click();
  await ada.find("trend-search").fill("Press 1/Oil pressure");
  await ada.page.locator(`[data-testid="trend-found"][data-tag-path="${PRESSURE}"]`).click();
  await eventually(
    "two pens with values",
    async () => await ada.find("trend-pen-value").allInnerTexts(),
    (values) => values.length === 2 && values.every((value) => /\d/.test(value)),
  );
  expect(await rangeKind()).toBe("live");
  const before = Number(await chart().getAttribute("data-to"));
  await eventually(
    "a later edge",
    async () => Number(await chart().getAttribute("data-to")),
    (toMs) => toMs > before,
  );
  await ada.picture("trends-live");
}, 60_000);

test("the keyboard moves the cursor, goes back in time and comes back to the present", async () => {
  await chart().focus();
  await ada.page.keyboard.press("ArrowLeft");
  await eventually(
    "a spoken readout",
    () => ada.find("trend-spoken").innerText(),
    (text) => /\d/.test(text),
  );
  await ada.page.keyboard.press("PageUp");
  await eventually("a fixed range", rangeKind, (kind) => kind === "fixed");
  await ada.page.keyboard.press("l");
  await eventually("the present", rangeKind, (kind) => kind === "live");
}, 60_000);

test("a view is saved, and opens again with its pens", async () => {
  const views = ada.find("trend-views");
  if ((await views.getAttribute("open")) === null) await views.locator("summary").click();
  await ada.find("trend-save-as").click();
  await ada.find("trend-view-name").fill("Press 1");
  await ada.find("trend-view-save").click();
  await ada.page.waitForURL(/\/trends\/[0-9a-f-]{36}/);
  await ada.page.goto(`${stack.hubUrl}/trends`);
  await ada.find("trend-view-row").filter({ hasText: "Press 1" }).click();
  await eventually(
    "the pens of the view",
    () => ada.find("trend-pen").count(),
    (count) => count === 2,
  );
}, 60_000);

test("a note is kept and listed", async () => {
  await chart().focus();
  await ada.page.keyboard.press("a");
  await ada.find("trend-note-text").fill("Oil changed");
  await ada.find("trend-note-save").click();
  await ada.find("trend-note").filter({ hasText: "Oil changed" }).waitFor();
}, 60_000);

test("what is on the chart can be had as CSV", async () => {
  const address = await ada.find("trend-csv").getAttribute("href");
  const cookies = (await ada.context.cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
  const answer = await fetch(new URL(address!, stack.hubUrl), { headers: { cookie: cookies } });
  expect([answer.status, answer.headers.get("content-type")?.split(";")[0]]).toEqual([200, "text/csv"]);
  const [header, first] = (await answer.text()).split("\n");
  expect(header).toStartWith("tag,path,time,value,quality");
  expect(first).toContain(TEMPERATURE.split("/").at(-2)!);
}, 60_000);

test("a range without anything says so and leads to the first sample", async () => {
  const iso = (ms: number) => new Date(ms).toISOString();
  const range = `from=${iso(oldMs - 3 * DAY_MS)}&to=${iso(oldMs - 2 * DAY_MS)}`;
  await ada.page.goto(`${stack.hubUrl}/trends?pens=${temperature.tagNo}&${range}`);
  await ada.find("trend-empty").getByRole("button").click();
  await eventually(
    "the first day",
    async () => Number(await chart().getAttribute("data-to")),
    (toMs) => toMs > oldMs,
  );
  await ada.find("trend-empty").waitFor({ state: "detached" });
  await ada.picture("trends-first-day");
}, 60_000);

test("the trend of a day is clean for assistive programs, light and dark", async () => {
  for (const colorScheme of ["light", "dark"] as const) {
    await ada.page.emulateMedia({ colorScheme });
    await ada.page.goto(`${stack.hubUrl}/trends?pens=${temperature.tagNo}&last=86400`);
    await chart().waitFor();
    await eventually(
      "a loaded chart",
      () => chart().getAttribute("data-loading"),
      (loading) => loading === "false",
    );
    const { violations } = await new AxeBuilder({ page: ada.page }).analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
    await ada.picture(`trends-day-${colorScheme}`);
  }
  expect(ada.errors).toEqual([]);
}, 60_000);
