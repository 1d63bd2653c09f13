import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Gateway } from "@millrace/contract/api/gateway";
import type { Device, Profile, Site, Tag } from "@millrace/contract/api/plant";
import type { Browser } from "playwright-core";
import type { Stack } from "../stack/stack.ts";
import { eventually, type Person } from "./browser.ts";
import { openSceneWithAda, type Scene } from "./scene.ts";

/** Names and texts that are markup and scripts, on every screen that shows them, at the hub and at the gateway. */

const STRIKE = "<img src=x onerror=window.struck=1>";
const SCRIPT = `"><script>window.struck=1</script>{@html x}`;

let scene: Scene | undefined;
let stack: Stack;
let browser: Browser;
let ada: Person;
let tag: Tag;
let device: Device;
let gateway: Gateway;

beforeAll(async () => {
  const opened = await openSceneWithAda("hostile");
  scene = opened;
  ({ stack, browser, ada } = opened);
  const { api } = stack;
  const press = (await api.all<Device>("/devices")).find(({ name }) => name === "Press 1")!;
  const place = await api.post<Site>("/sites", { name: `Hall ${STRIKE}`, kind: "site", parentId: null });
  const profile = await api.post<Profile>("/profiles", {
    name: `Kind ${STRIKE}`,
    driver: "modbus",
    settings: { timeoutMs: 1_000 },
    tags: [
      {
        name: `Tag ${STRIKE}`,
        address: "holding:0",
        dataType: "float32",
        unit: "<b>°C</b>",
        description: SCRIPT,
      },
    ],
  });
  gateway = await api.post<Gateway>("/gateways", { name: `Gate ${STRIKE}`, siteId: place.id });
  device = await api.post<Device>("/devices", {
    name: `Dev ${STRIKE}`,
    profileId: profile.id,
    gatewayId: press.gatewayId,
    siteId: place.id,
    settings: press.settings,
  });
  tag = (await api.all<Tag>(`/tags?deviceId=${device.id}`))[0]!;
}, 120_000);

afterAll(() => scene?.close(), 60_000);

/** What the page made of the texts: elements only markup could have made, scripts that ran, links with a script in them. */
const struck = (person: Person) =>
  person.page.evaluate<{ ran: number; made: number }>(`({
    ran: window.struck ?? 0,
    made: document.querySelectorAll("img[onerror], [src='x'], script:not([src]), td b, h1 b, a[href^='javascript:' i]").length,
  })`);

test("the look finds what it looks for", async () => {
  const page = await browser.newPage();
  try {
    await page.setContent(`<main>${STRIKE}<a href="javascript:0">x</a></main>`);
    const found = () => struck({ page } as Person);
    expect(await eventually("the strike", found, ({ ran }) => ran === 1)).toEqual({ ran: 1, made: 2 });
  } finally {
    await page.close();
  }
});

test("S27: hostile names, units and descriptions are text on every screen of the hub", async () => {
  const pages: [string, string | null][] = [
    ["/", "Dev "],
    [`/tags?device=${device.id}`, "Tag "],
    [`/tags/${tag.tagNo}`, "Tag "],
    ["/gateways", "Gate "],
    [`/gateways/${gateway.id}`, "Gate "],
    ["/plant", "Dev "],
    [`/plant/devices/${device.id}`, null],
    ["/plant/profiles", "Kind "],
    ["/plant/places", null],
    ["/plant/versions", null],
    [`/trends?pens=${tag.tagNo}.0&last=86400`, "Tag "],
    ["/audit", null],
    [`/tags?q=${encodeURIComponent(STRIKE)}`, null],
    [`/nowhere/${encodeURIComponent(STRIKE)}`, null],
  ];
  for (const [path, text] of pages) {
    await ada.page.goto(stack.hubUrl + path);
    await ada.page.locator("main").waitFor();
    if (text !== null)
      await eventually(
        `${text} as text at ${path}`,
        () => ada.page.locator("main").innerText(),
        (shown) => shown.includes(text + STRIKE),
      );
    // What comes later than the first paint is in by then.
    await ada.page.waitForTimeout(300);
    expect([path, await struck(ada)]).toEqual([path, { ran: 0, made: 0 }]);
  }
  // The browser tells of a script it did not run: there must not even be one to refuse.
  expect(ada.errors).toEqual([]);
}, 120_000);

test("S27: they are text on the gateway's own page too", async () => {
  await eventually(
    "a value of the new device",
    () => stack.api.get<{ items: { quality: string }[] }>(`/latest?tags=${tag.tagNo}`),
    ({ items }) => items[0]?.quality.startsWith("good") === true,
  );
  for (const path of ["/", "/tags", `/${encodeURIComponent(STRIKE)}`]) {
    const text = await (await fetch(stack.localUrl + path)).text();
    expect([path, /<img[^>]+onerror|<script>window|<b>°C/.test(text)]).toEqual([path, false]);
    await ada.page.goto(stack.localUrl + path);
    expect([path, await struck(ada)]).toEqual([path, { ran: 0, made: 0 }]);
  }
}, 60_000);
