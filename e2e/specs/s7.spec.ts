import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { startS7Fleet } from "../bench/peers.ts";
import { ROOT } from "../stack/child.ts";
import type { Stack } from "../stack/stack.ts";
import { eventually, type Person } from "./browser.ts";
import { openSceneWithAda, type Scene } from "./scene.ts";

/** A first Siemens CPU by screen: what is wrong is said so that a technician can put it right, then values are live. */

const TAGS = { reals: 2, ints: 1, bools: 1 };
let scene: Scene | undefined;
let stack: Stack;
let ada: Person;
let snap7: Awaited<ReturnType<typeof startS7Fleet>>;
let cpu: Awaited<ReturnType<typeof startCpu>>;
const folder = mkdtempSync(join(tmpdir(), "millrace-s7-"));

/** A CPU that refuses what real ones refuse; Snap7's has no switches. */
async function startCpu() {
  const process = Bun.spawn(["bun", join(ROOT, "gateway/scripts/s7-cpu.ts")], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const lines = process.stdout.getReader();
  const said = async () => new TextDecoder().decode((await lines.read()).value).trim();
  const port = Number(await said());
  return {
    port,
    tell: async (line: string) => {
      process.stdin.write(`${line}\n`);
      process.stdin.flush();
      await said();
    },
    stop: () => process.kill(),
  };
}

beforeAll(async () => {
  // Each is known before the next may fail, so that all of them are ended.
  cpu = await startCpu();
  snap7 = await startS7Fleet(folder, 1, TAGS);
  const opened = await openSceneWithAda("s7");
  scene = opened;
  ({ stack, ada } = opened);
}, 120_000);

afterAll(async () => {
  cpu?.stop();
  snap7?.stop();
  rmSync(folder, { recursive: true, force: true });
  await scene?.close();
}, 60_000);

const setting = (name: string) => ada.page.locator(`[data-testid="setting"][data-setting="${name}"]`);
const cell = (row: number, field: string) =>
  ada.page.locator(`[data-testid="tag-table"] [data-row="${row}"] [data-field="${field}"]`);
async function fillTag(row: number, name: string, address: string, dataType: string): Promise<void> {
  if (row > 0) {
    await ada.find("tag-add").click();
    // The new row takes the focus by itself; typing before that would end up in its name.
    await ada.page
      .locator(`[data-testid="tag-table"] [data-row="${row}"] [data-field="name"]:focus`)
      .waitFor();
  }
  await cell(row, "name").fill(name);
  await cell(row, "address").fill(address);
  await cell(row, "dataType").selectOption(dataType);
}
/** Presses "Try it" and waits for these words in what is said. */
async function tryOut(words: RegExp): Promise<void> {
  await ada.find("try-run").click();
  await ada.find("try-out").getByText(words).first().waitFor();
}

test("a Siemens CPU: place, switches and blocks that are wrong are named, then its values are live", async () => {
  await ada.page.goto(`${stack.hubUrl}/plant/devices/new`);
  await ada.find("device-name").fill("Mixer");
  await ada.page.getByLabel("Protocol").selectOption("s7");
  await setting("host").fill("127.0.0.1");
  await ada.page.getByText("More settings").click();
  await setting("port").fill(String(cpu.port));
  await ada.find("profile-name").fill("Mixer");
  await fillTag(0, "Speed", "DB1.REAL8", "float32");
  await fillTag(1, "Level", "DB1.REAL12", "float32");
  await ada.picture("s7-form");

  await cpu.tell("slot 2");
  await tryOut(/Slot 2 answers: set slot to 2/);
  await ada.picture("s7-slot");
  await setting("slot").fill("2");
  await cpu.tell("closed");
  await tryOut(/Permit access with PUT\/GET communication/);
  await ada.picture("s7-closed");

  // The CPU the values come from: Snap7's, which has no block 7.
  await setting("slot").fill("");
  await setting("port").fill(String(snap7.ports[0]));
  await fillTag(2, "Batch", "DB7.DBW0", "uint16");
  await tryOut(/DB7 is not in the CPU, or it is an optimized block/);
  await ada.picture("s7-block");
  expect(await ada.find("try-out").locator('li[data-quality="good"]').count()).toBe(2);
  await cell(2, "address").fill("DB1.INT16");
  await cell(2, "dataType").selectOption("int16");
  await fillTag(3, "Pump", "DB1.DBX18.1", "boolean");
  // Snap7's server may be late on a busy machine, as a CPU may; whoever stands there asks again.
  const good = () => ada.find("try-out").locator('li[data-quality="good"]').count();
  await eventually(
    "four values read",
    async () => {
      if ((await good()) === 4) return 4;
      await ada.find("try-run").click();
      await Bun.sleep(1_000);
      return await good();
    },
    (count) => count === 4,
  );
  const { violations } = await new AxeBuilder({ page: ada.page })
    .withTags(["wcag2a", "wcag2aa", "wcag22aa"])
    .analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
  await ada.find("device-publish").click();
  await ada.page.waitForURL(/\/tags\?device=/);
  await eventually(
    "four values live",
    async () =>
      Promise.all((await ada.find("value-cell").all()).map((value) => value.getAttribute("data-state"))),
    (states) => states.length === 4 && states.every((state) => state === "live"),
  );
  await ada.picture("s7-live");
  expect(ada.errors).toEqual([]);
}, 60_000);
