import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { AxeBuilder } from "@axe-core/playwright";
import type { Gateway } from "@millrace/contract/api/gateway";
import type { Subprocess } from "bun";
import type { Locator } from "playwright-core";
import { ROOT } from "../stack/child.ts";
import type { Stack } from "../stack/stack.ts";
import { eventually, type Person, PHONE, TABLET } from "./browser.ts";
import { openSceneWithAda, type Scene } from "./scene.ts";

/** An OPC UA server is met, compared, trusted, browsed and read, all by screen; then somebody refuses it. */

let scene: Scene | undefined;
let stack: Stack;
let ada: Person;
let server: Subprocess<"pipe", "pipe", "ignore">;
let endpoint: string;

async function startServer(): Promise<void> {
  const source = join(ROOT, "gateway/test/peers/opcua-server.ts");
  server = Bun.spawn([process.execPath, source, JSON.stringify({ variables: 150 })], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "ignore",
  });
  for await (const line of createInterface({ input: Readable.fromWeb(server.stdout as never) })) {
    if (!line.startsWith("{")) continue;
    endpoint = `opc.tcp://127.0.0.1:${(JSON.parse(line) as { port: number }).port}`;
    return;
  }
}

beforeAll(async () => {
  const [opened] = await Promise.all([openSceneWithAda("opcua"), startServer()]);
  scene = opened;
  ({ stack, ada } = opened);
}, 120_000);

afterAll(async () => {
  server?.kill();
  await scene?.close();
}, 60_000);

const setting = (name: string) => ada.page.locator(`[data-testid="setting"][data-setting="${name}"]`);
const place = (node: string) => ada.page.locator(`[data-testid="browse-place"][data-node="${node}"]`);
const value = (node: string) => ada.page.locator(`[data-testid="browse-value"][data-node="${node}"]`);
const PLANT = "nsu=urn:millrace:peer;s=Plant";

async function look(name: string, what: Locator): Promise<void> {
  for (const [size, viewport] of [
    ["tablet", TABLET],
    ["phone", PHONE],
  ] as const) {
    await ada.page.setViewportSize(viewport);
    await what.evaluate((element) => element.scrollIntoView({ block: "start" }));
    await ada.page.mouse.wheel(0, -80);
    for (const colorScheme of ["light", "dark"] as const) {
      await ada.page.emulateMedia({ colorScheme });
      await ada.picture(`${name}-${size}-${colorScheme}`);
    }
    const { violations } = await new AxeBuilder({ page: ada.page })
      .withTags(["wcag2a", "wcag2aa", "wcag22aa"])
      .analyze();
    expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html).slice(0, 2)])).toEqual([]);
  }
  await ada.page.emulateMedia({ colorScheme: "light" });
  await ada.page.setViewportSize(TABLET);
}

test("a server is met, compared, trusted, browsed, and its values are live", async () => {
  await ada.page.goto(`${stack.hubUrl}/plant/devices/new`);
  await ada.find("device-name").fill("Mixer");
  await ada.page.getByLabel("Protocol").selectOption("opcua");
  await setting("endpoint").fill(endpoint);
  await ada.find("profile-name").fill("Mixer server");
  await ada.page.getByText("Browse the server").click();
  await ada.find("browse-open").click();
  await ada.find("trust-certificate").waitFor();
  expect(await ada.find("browse-server").innerText()).toContain("SHA-256");
  await look("opcua-untrusted", ada.find("browse-server"));
  await ada.find("trust-certificate").click();
  await ada.find("browse-open").click();
  await place(PLANT).click();
  await value("nsu=urn:millrace:peer;s=Double").check();
  await ada.find("browse-more").click();
  await ada.page.getByLabel("Search in what was loaded").fill("v1");
  await value("nsu=urn:millrace:peer;s=v149").check();
  await look("opcua-browse", ada.find("browse-server"));
  await ada.find("browse-add").click();
  await ada.find("try-run").click();
  await ada
    .find("try-out")
    .getByText(/One cycle takes 1 request/)
    .waitFor();
  expect(await ada.find("try-out").locator('li[data-quality="good"]').count()).toBe(2);
  await ada.find("device-publish").click();
  await ada.page.waitForURL(/\/tags\?device=/);
  await eventually(
    "both values live",
    async () =>
      Promise.all((await ada.find("value-cell").all()).map((cell) => cell.getAttribute("data-state"))),
    (states) => states.length === 2 && states.every((state) => state === "live"),
  );
}, 60_000);

test("on the gateway's page the certificate stands as trusted, and refusing it stops the device", async () => {
  const [gateway] = await stack.api.all<Gateway>("/gateways");
  await ada.page.goto(`${stack.hubUrl}/gateways/${gateway!.id}`);
  const row = ada.find("certificate-row").first();
  await eventually(
    "the certificate is there",
    () => row.getAttribute("data-state"),
    (state) => state === "trusted",
  );
  await row.locator("summary").click();
  await ada.find("certificate-refuse", row).click();
  await look("opcua-certificates", row);
  await ada.find("certificate-refuse", row).click();
  await eventually(
    "it is refused",
    () => row.getAttribute("data-state"),
    (state) => state === "refused",
  );
  await ada
    .find("gateway-detail")
    .getByText("shows a certificate that nobody has trusted yet")
    .first()
    .waitFor();
  expect(ada.errors).toEqual([]);
}, 60_000);
