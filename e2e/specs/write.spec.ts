import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import type { Tag } from "@millrace/contract/api/plant";
import type { WritesOfTag } from "@millrace/contract/api/write";
import type { Browser } from "playwright-core";
import type { TestId } from "../../web/src/lib/test-id.ts";
import { ROOT } from "../stack/child.ts";
import type { Stack } from "../stack/stack.ts";
import { giveAuthenticator } from "./authenticator.ts";
import { ADMIN, eventually, Person, PHONE, TABLET } from "./browser.ts";
import { openSceneWithAda, type Scene } from "./scene.ts";

/** A value from a screen to a machine and back, on the real stack: by one person, by two, by nobody who may not. */

const SETPOINT = "Demo plant/Pressing/Press 1/Oil temperature setpoint";
const HYDRAULICS = "Demo plant/Pressing/Press 1/Hydraulics on";
const PASSWORD = "another long plant password";

let scene: Scene | undefined;
let stack: Stack;
let browser: Browser;
let ada: Person;

beforeAll(async () => {
  const opened = await openSceneWithAda("write");
  scene = opened;
  ({ stack, browser, ada } = opened);
}, 120_000);

afterAll(() => scene?.close(), 60_000);

async function tagOf(path: string): Promise<Tag> {
  const found = await stack.api.all<Tag>(`/tags?q=${encodeURIComponent(path)}`);
  return found.find((tag) => tag.path === path)!;
}

async function openTag(person: Person, path: string): Promise<void> {
  await person.page.goto(`${stack.hubUrl}/tags/${(await tagOf(path)).tagNo}`);
  await person.find("tag-writes").waitFor();
}

/** Invited by Ada's key, signed in at a screen of their own. */
async function joins(name: string, role: string, viewport = TABLET): Promise<Person> {
  const email = `${name.toLowerCase()}@plant.example`;
  const grants = [{ role, siteId: null }];
  const { link } = await stack.api.post<{ link: string }>("/invitations", { name, email, grants });
  const token = link.split("#token=")[1];
  await stack.api.post("/invitations/accept/password", { token, password: PASSWORD });
  const person = await Person.arrive(browser, viewport);
  await person.page.goto(stack.hubUrl);
  await person.find("sign-in-email").fill(email);
  await person.find("sign-in-password").fill(PASSWORD);
  await person.find("sign-in-submit").click();
  await person.find("overview").waitFor();
  return person;
}

/** Looks at the part in both themes and on both sizes. */
async function isClean(person: Person, name: string, id: TestId): Promise<void> {
  for (const [size, viewport] of Object.entries({ tablet: TABLET, phone: PHONE })) {
    await person.page.setViewportSize(viewport);
    for (const colorScheme of ["light", "dark"] as const) {
      await person.page.emulateMedia({ colorScheme });
      const found = person.find(id);
      await found.scrollIntoViewIfNeeded();
      const part = new AxeBuilder({ page: person.page }).include(`[data-testid="${id}"]`);
      const { violations } = await part.analyze();
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
      const wider = await person.page.evaluate("document.documentElement.scrollWidth - innerWidth");
      expect([name, size, wider]).toEqual([name, size, 0]);
      const heights = await found
        .locator("button, input, select")
        .evaluateAll((parts) => parts.map((each) => each.getBoundingClientRect().height));
      expect(heights.filter((height) => height > 0 && height < 48)).toEqual([]);
      await person.picture(`${name}-${size}-${colorScheme}`);
    }
  }
  await person.page.setViewportSize(TABLET);
}

test("one person writes a setpoint: limits are said before, the change is shown, the machine's value comes back", async () => {
  await openTag(ada, SETPOINT);
  await ada.find("write-begin").click();
  await ada.find("write-value").fill("95");
  expect(await ada.find("write-wrong").innerText()).toContain("above the largest value, 90 °C");
  expect(await ada.find("write-next").isDisabled()).toBe(true);
  await isClean(ada, "write-value", "write-sheet");
  await ada.find("write-value").fill("61,5");
  await ada.page.keyboard.press("Enter");
  expect(await ada.find("write-change").innerText()).toMatch(/52\.0 °C[\s\S]*61\.5 °C/);
  await isClean(ada, "write-confirm", "write-sheet");
  // The keyboard does not stand on the button that writes: Enter alone changes nothing.
  await ada.page.keyboard.press("Enter");
  await ada.find("write-execute").click();
  await ada.page.locator('[data-testid="write-outcome"][data-state="done"]').waitFor();
  expect(await ada.find("write-outcome").innerText()).toContain("61.5 °C");
  await eventually(
    "the value on the tag's page",
    () => ada.find("tag-detail-value").innerText(),
    (text) => text.includes("61.5"),
  );
  await eventually(
    "the write in the list",
    () => ada.find("write-row").first().innerText(),
    (text) => text.includes("61.5 °C · Done") && text.includes(ADMIN.name),
  );
  await isClean(ada, "write-done", "tag-writes");
  await ada.find("write-close").click();
  expect(ada.errors).toEqual([]);
}, 60_000);

test("a command is tried without a machine: in a simulated plant the temperature follows its setpoint", async () => {
  const plant = Bun.YAML.parse(await Bun.file(join(ROOT, "docs/simulated-plant.yaml")).text());
  await stack.api.put("/config", plant);
  const press = "Sample works/Press shop/Press 1";
  await openTag(ada, `${press}/Oil setpoint`);
  const shown = () => ada.find("tag-detail-value").innerText();
  await eventually("the setpoint as it begins", shown, (text) => text.startsWith("52.0"));
  await ada.find("write-begin").click();
  await ada.find("write-value").fill("85");
  await ada.page.keyboard.press("Enter");
  await ada.find("write-execute").click();
  await ada.page.locator('[data-testid="write-outcome"][data-state="done"]').waitFor();
  await ada.page.goto(`${stack.hubUrl}/tags/${(await tagOf(`${press}/Oil temperature`)).tagNo}`);
  await eventually("oil on its way", shown, (text) => Number.parseFloat(text) > 53, 30_000);
  expect(ada.errors).toEqual([]);
}, 90_000);

test("two people and one at the machine: each shows who they are, and all three names stand in the list", async () => {
  const bob = await joins("Bob", "operator", PHONE);
  await giveAuthenticator(ada);
  await ada.page.goto(`${stack.hubUrl}/account`);
  await ada.find("passkey-add").click();
  await ada.find("passkey-row").waitFor();
  await openTag(ada, HYDRAULICS);
  await ada.find("write-begin").click();
  await ada.find("write-value").selectOption("false");
  await ada.find("write-next").click();
  await ada.find("write-execute").waitFor();
  expect(await ada.find("write-execute").isDisabled()).toBe(true);
  await openTag(bob, HYDRAULICS);
  await bob.find("write-agree").click();
  await isClean(bob, "write-agree", "tag-writes");
  await bob.find("write-agree-confirm").click();
  await bob.find("step-up-password").fill(PASSWORD);
  await bob.find("step-up-submit").click();
  await ada.page.getByText("Bob has agreed").waitFor();
  const carryOut = async () => {
    await ada.find("write-execute").click();
    await isClean(ada, "write-step-up", "step-up");
    expect(await ada.find("write-execute").innerText()).toBe("Not written yet");
    await ada.find("step-up-passkey").click();
  };
  const grace = await Person.arrive(browser, PHONE);
  await arm(grace);
  await carryOut();
  await ada.page.locator('[data-testid="write-outcome"][data-state="done"]').waitFor();
  const { tagNo } = await tagOf(HYDRAULICS);
  const { items } = await stack.api.get<WritesOfTag>(`/tags/${tagNo}/writes`);
  expect(items[0]).toMatchObject({
    state: "done",
    before: true,
    after: false,
    selectedBy: ADMIN.name,
    agreedBy: "Bob",
    armedBy: "Grace",
  });
  await eventually(
    "three names in the list",
    () => bob.find("write-row").first().innerText(),
    (text) => [ADMIN.name, "Bob", "Grace"].every((name) => text.includes(name)),
  );
  await ada.page.goto(`${stack.hubUrl}/plant/devices/${(await tagOf(HYDRAULICS)).deviceId}`);
  await ada.find("device-writes").locator("summary").click();
  await eventually(
    "the writes of the whole machine, the latest first",
    () => ada.find("write-row").allInnerTexts(),
    (rows) => rows.length >= 2 && rows[0]!.includes("Hydraulics on") && rows[1]!.includes("61.5 °C · Done"),
  );
  expect(await ada.find("write-row").first().innerText()).toContain("Read back: Off");
  await ada.find("writes-result").selectOption("refused");
  await ada.page.getByText("No write to this device ended like this").waitFor();
  await ada.find("writes-result").selectOption("done");
  await ada.find("write-row").nth(1).waitFor();
  await isClean(ada, "write-device", "device-writes");
  expect([...ada.errors, ...bob.errors]).toEqual([]);
}, 60_000);

/** Somebody at the machine, at the gateway's own page. */
async function arm({ page }: Person): Promise<void> {
  await page.goto(stack.localUrl);
  await page.getByLabel("Your name").fill("Grace");
  await page.getByLabel("PIN").fill(stack.firstPin);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByLabel("New PIN", { exact: true }).fill("93810246");
  await page.getByLabel("New PIN again").fill("93810246");
  await page.getByRole("button", { name: "Take this PIN" }).click();
  await page.getByRole("link", { name: "Work" }).click();
  await page.getByRole("button", { name: "Arm for 2 min" }).click();
  await page.getByText("Armed", { exact: true }).waitFor();
}

test("who may not write sees what was written and no way to write; the lockout at the machine is said", async () => {
  const vic = await joins("Vic", "viewer");
  await openTag(vic, SETPOINT);
  await vic.find("write-row").first().waitFor();
  expect(await vic.find("write-begin").count()).toBe(0);
  const grace = await Person.arrive(browser, PHONE);
  await grace.page.goto(stack.localUrl);
  await grace.page.getByLabel("Your name").fill("Grace");
  await grace.page.getByLabel("PIN").fill("93810246");
  await grace.page.getByRole("button", { name: "Sign in" }).click();
  await grace.page.getByRole("link", { name: "Work" }).click();
  await grace.page.getByRole("button", { name: "Lock out" }).click();
  await openTag(ada, SETPOINT);
  await ada.page.getByText("Somebody at the machine has locked out writes").waitFor();
  expect(await ada.find("write-begin").isDisabled()).toBe(true);
  await ada.picture("write-locked-out");
  await grace.picture("write-local-page");
  expect([...ada.errors, ...vic.errors]).toEqual([]);
}, 60_000);
