import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import type { HubCertificate } from "@millrace/contract/api/certificate";
import type { Claim } from "@millrace/contract/api/enrolment";
import type { Gateway } from "@millrace/contract/api/gateway";
import type { Problem } from "@millrace/contract/api/problem";
import type { TestId } from "../../web/src/lib/test-id.ts";
import { startProgram } from "../stack/child.ts";
import type { Stack } from "../stack/stack.ts";
import { eventually, openBrowser, Person, PHONE, setUp, TABLET } from "./browser.ts";
import { type Impostor, startImpostor, startThief } from "./impostor.ts";
import { openScene, type Scene } from "./scene.ts";

/** The way between people, gateways and a hub that signs its certificate itself, as they find it. */

const TEMPERATURE = "Demo plant/Pressing/Press 1/Oil temperature";

let scene: Scene;
let stack: Stack;
let ada: Person;
let certificate: HubCertificate;
let impostor: Impostor;

beforeAll(async () => {
  scene = await openScene("tls", { tls: "own" });
  ({ stack } = scene);
  ada = await Person.arrive(scene.browser, TABLET);
  certificate = await stack.api.get<HubCertificate>("/system/certificate");
  const word = await (await fetch(`${stack.plainUrl}/trust/hub.json`)).text();
  impostor = startImpostor(join(stack.options.folder, "impostor"), word);
}, 120_000);

afterAll(async () => {
  impostor?.[Symbol.dispose]();
  await scene?.close();
}, 60_000);

const gatewayNow = async () => (await stack.api.all<Gateway>("/gateways"))[0]!;

/** A gateway that shall become known, and what it says about it. */
async function stranger(name: string, url: string, env: Record<string, string> = {}) {
  const { id, siteId } = await gatewayNow();
  const { claimToken } = await stack.api.post<Claim>(
    `/gateways/${(await stack.api.post<Gateway>("/gateways", { name, siteId })).id ?? id}/claims`,
    {},
  );
  return startProgram(name, "gateway/src/main.ts", {
    env: {
      MILLRACE_DATA: join(stack.options.folder, name),
      MILLRACE_HUB_URL: url,
      MILLRACE_LOCAL_PORT: "0",
      MILLRACE_CLAIM_TOKEN: claimToken,
      ...env,
    },
  });
}

/** The screen on a tablet in the light and on a phone in the dark: no axe finding, nothing wider than the screen. */
async function isClean(name: string, at?: TestId): Promise<void> {
  for (const [size, viewport, colorScheme] of [
    ["tablet", TABLET, "light"],
    ["phone", PHONE, "dark"],
  ] as const) {
    await ada.page.setViewportSize(viewport);
    await ada.page.emulateMedia({ colorScheme });
    if (at !== undefined) await ada.find(at).scrollIntoViewIfNeeded();
    const { violations } = await new AxeBuilder({ page: ada.page }).analyze();
    const found = violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
    expect([name, size, found]).toEqual([name, size, []]);
    const wider = await ada.page.evaluate("document.documentElement.scrollWidth - innerWidth");
    expect([name, size, wider]).toEqual([name, size, 0]);
    await ada.picture(`${name}-${size}-${colorScheme}`);
  }
  await ada.page.setViewportSize(TABLET);
  await ada.page.emulateMedia({ colorScheme: "light" });
}

test("S07: the gateway pinned the hub's authority and speaks with it over TLS", async () => {
  const gateway = await eventually(
    "a link",
    gatewayNow,
    ({ linkState, status }) => linkState === "up" && status !== null,
    40_000,
  );
  expect(gateway.status?.hubTrust).toBe("pinned");
  const kept = JSON.parse(readFileSync(join(stack.gatewayFolder, "hub-trust.json"), "utf8"));
  expect(kept.authorities).toEqual([stack.api.authority!]);
}, 60_000);

test("S07: plain http: the API is refused and not led on, pages are led to https, which is told to stay", async () => {
  const { authority } = stack.api;
  for (const path of ["/api/v1/gateways", "/api/v1/live", "/api/v1/uplink", "/metrics"]) {
    const headers = { authorization: `Bearer ${stack.apiKey}` };
    const answer = await fetch(stack.plainUrl + path, { headers, redirect: "manual" });
    expect([path, answer.status, answer.headers.get("location")]).toEqual([path, 403, null]);
    expect(((await answer.json()) as Problem).code).toBe("request.plain");
  }
  // The TLS port itself takes no plain request either.
  await expect(fetch(stack.hubUrl.replace("https:", "http:"))).rejects.toThrow();
  const secure = await fetch(`${stack.hubUrl}/`, { tls: { ca: authority! } });
  expect(secure.headers.get("strict-transport-security")).toMatch(/^max-age=[1-9]\d+$/);
  await ada.page.goto(`${stack.plainUrl}/tags?q=oil`);
  expect(ada.page.url()).toBe(`${stack.hubUrl}/tags?q=oil`);
}, 60_000);

test("S07: a browser that does not know the authority stops, and the trust page says what to compare", async () => {
  const browser = await openBrowser();
  try {
    const stranger = await Person.arrive(browser, PHONE);
    await stranger.page.goto(`${stack.plainUrl}/trust`);
    expect(await stranger.page.locator("main").innerText()).toContain(certificate.authority!.fingerprint);
    const { violations } = await new AxeBuilder({ page: stranger.page }).analyze();
    expect(violations.map(({ id }) => id)).toEqual([]);
    await stranger.picture("trust-page");
    for (const file of ["ca.crt", "ca.mobileconfig", "qr.svg"])
      expect((await fetch(`${stack.plainUrl}/trust/${file}`)).status).toBe(200);
    await expect(stranger.page.goto(stack.hubUrl)).rejects.toThrow("ERR_CERT_AUTHORITY_INVALID");
  } finally {
    await browser.close();
  }
}, 60_000);

test("S07: a browser that trusts it gets pages, the cookie and live values over TLS alone", async () => {
  const sockets: string[] = [];
  const requests = new Set<string>();
  ada.page.on("websocket", (socket) => sockets.push(socket.url()));
  ada.page.on("request", (request) => requests.add(new URL(request.url()).protocol));
  await setUp(ada, stack.setupLink!);
  await ada.page.goto(`${stack.hubUrl}/tags`);
  await ada.find("tag-search").fill("Oil temperature");
  await eventually(
    "a live oil temperature",
    () => ada.valueState(TEMPERATURE),
    (state) => state === "live",
  );
  expect(sockets.length).toBeGreaterThan(0);
  for (const url of sockets) expect(url).toStartWith(stack.hubUrl.replace("https:", "wss:"));
  expect([...requests].filter((protocol) => protocol === "http:")).toEqual([]);
  expect(await ada.page.evaluate("isSecureContext")).toBe(true);
  const cookies = (await ada.context.cookies()).filter(({ name }) => name.includes("millrace"));
  expect(cookies.map(({ secure, httpOnly }) => [secure, httpOnly])).toEqual([[true, true]]);
}, 60_000);

test("whoever steals the authority cannot pretend to be another site, even in a browser that trusts it", async () => {
  const { folder } = stack.options;
  const authorityFile = join(stack.hubFolder, "keys", "tls-authority.pem");
  using inPlant = startThief(join(folder, "thief-a"), authorityFile, "shop.internal");
  using outside = startThief(join(folder, "thief-b"), authorityFile, "bank.example");
  const names = "MAP shop.internal 127.0.0.1, MAP bank.example 127.0.0.1";
  const browser = await openBrowser({ trusting: stack.api.authority!, home: join(folder, "home-2"), names });
  try {
    const { page } = await Person.arrive(browser, PHONE);
    // The same theft for a private name is taken: it is the bound that stops the other one.
    await page.goto(`https://shop.internal:${inPlant.port}`);
    await expect(page.goto(`https://bank.example:${outside.port}`)).rejects.toThrow("ERR_CERT_");
  } finally {
    await browser.close();
  }
}, 60_000);

test("connection security: the certificate, its days, the way for phones, and each gateway", async () => {
  await ada.page.goto(`${stack.hubUrl}/more`);
  await ada.find("security-open").click();
  await ada.find("security-certificate").waitFor();
  const text = await ada.find("security").innerText();
  for (const known of [
    certificate.fingerprint!,
    certificate.authority!.fingerprint,
    certificate.authority!.pin,
    certificate.trustUrl!,
    stack.hubUrl,
    "localhost, 127.0.0.1, ::1",
  ])
    expect(text).toContain(known);
  expect(text).toMatch(/\b8\d days left/);
  expect(text).not.toContain("PRIVATE");
  expect(await ada.find("security-way").getAttribute("data-safety")).toBe("safe");
  await ada.page.locator('[data-testid="security-gateway"][data-safety="safe"]').waitFor();
  const width = await ada
    .find("security-trust")
    .locator("img")
    .evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth);
  expect(width).toBeGreaterThan(0);
  await isClean("security", "security-trust");
}, 60_000);

test("connection security says what needs attention, in words and with a sign", async () => {
  const soon = new Date(Date.now() + 5 * 86_400_000).toISOString();
  const ending: HubCertificate = {
    ...certificate,
    notAfter: soon,
    findings: [
      {
        code: "certificate.ending",
        severity: "warning",
        message: `The hub's certificate ends at ${soon}; gateways and browsers refuse it from then on.`,
        nextStep: "Give the hub a new one; changed files are taken without a restart.",
      },
    ],
  };
  await ada.page.route("**/api/v1/system/certificate", (route) => route.fulfill({ json: ending }));
  await ada.page.reload();
  await ada.page.locator('[data-testid="security-certificate"][data-ending="true"]').waitFor();
  expect(await ada.find("security-certificate").innerText()).toMatch(/[45] days left, renew it now/);
  expect(await ada.find("security-finding").innerText()).toContain("Warning");
  await isClean("security-ending");
  await ada.page.unroute("**/api/v1/system/certificate");
}, 60_000);

test("S07: a gateway with another fingerprint in its claim command is refused, and the setting is named", async () => {
  const env = { MILLRACE_HUB_CA: `sha256:${"0".repeat(64)}` };
  const child = await stranger("wrong-pin", stack.hubUrl, env);
  expect(await child.process.exited).toBe(78);
  expect(child.tail()).toContain("MILLRACE_HUB_CA");
}, 60_000);

test("S07: whoever repeats the hub's public word under another authority gets no claim, and the gateway says why", async () => {
  const child = await stranger("between", impostor.url, { MILLRACE_HUB_CA: certificate.authority!.pin });
  try {
    await eventually(
      "a refusal in words",
      async () => child.tail(),
      (tail) => tail.includes("signed by nobody this machine trusts"),
    );
    expect(impostor.asked).toEqual(["/trust/hub.json"]);
  } finally {
    await child.stop();
  }
}, 60_000);

test("S07: an enrolled gateway that meets another authority sends nothing, says so on its page, and comes back", async () => {
  await stack.gateway.stop();
  const before = impostor.asked.length;
  const { options } = stack;
  const gatewayEnv = options.gatewayEnv ?? {};
  options.gatewayEnv = { ...gatewayEnv, MILLRACE_HUB_URL: impostor.url };
  await stack.startGateway();
  const status = async () =>
    await (
      await fetch(`${stack.localUrl}/api/v1/status`, {
        headers: { authorization: `Bearer ${stack.localToken}` },
      })
    ).text();
  await eventually("the reason", status, (text) => text.includes("signed by nobody this machine trusts"));
  expect(impostor.asked.slice(before).filter((path) => path !== "/trust/hub.json")).toEqual([]);
  await stack.gateway.stop();
  options.gatewayEnv = gatewayEnv;
  await stack.startGateway();
  await eventually("a link again", gatewayNow, ({ linkState }) => linkState === "up", 40_000);
  expect(ada.errors).toEqual([]);
}, 90_000);
