import { afterAll, beforeAll, expect, test } from "bun:test";
import type { TestId } from "../../web/src/lib/test-id.ts";
import type { Stack } from "../stack/stack.ts";
import { joinByPassword, Person, TABLET } from "./browser.ts";
import { isClean } from "./clean.ts";
import { openSceneWithAda, type Scene } from "./scene.ts";

/** An administrator looks after people, roles, keys and shared tablets by screen. */

let scene: Scene | undefined;
let stack: Stack;
let ada: Person;

beforeAll(async () => {
  const opened = await openSceneWithAda("people");
  scene = opened;
  ({ stack, ada } = opened);
  await stack.api.post("/sites", { name: "Elsewhere", kind: "site", parentId: null });
}, 120_000);
afterAll(() => scene?.close(), 60_000);

const go = (person: Person, path: string) => person.page.goto(`${stack.hubUrl}${path}`);
const count = (person: Person, id: TestId) => person.find(id).count();

test("somebody is invited, given a role at a place, disabled and removed", async () => {
  await go(ada, "/more");
  await ada.find("people-open").click();
  await ada.find("person-row").first().waitFor();
  await ada.find("invite-open").click();
  await ada.find("invite-name").fill("Bo Lind");
  await ada.find("invite-email").fill("bo@plant.example");
  await ada.find("grant-place").selectOption({ label: "Elsewhere and below" });
  await isClean(ada, "invite");
  await ada.find("invite-submit").click();
  const link = await ada.find("once-shown").locator("code").innerText();
  expect(link).toContain("/invitation#token=");
  await isClean(ada, "link");
  await ada.page.getByRole("button", { name: "I have it" }).click();
  await ada.page.locator('[data-testid="invitation-row"][data-email="bo@plant.example"]').waitFor();
  await isClean(ada, "list");

  const bo = await Person.arrive(scene!.browser, TABLET);
  await joinByPassword(bo, link, "the long password of Bo");

  await go(ada, "/people");
  await ada.page.locator('[data-testid="person-row"][data-email="bo@plant.example"]').click();
  await ada.find("person-edit").waitFor();
  await ada.find("session-row").first().waitFor();
  await isClean(ada, "person");
  await ada.find("grant-role").selectOption("operator");
  await ada.find("person-save").click();
  await ada.page.getByText("Saved. It counts").waitFor();
  await ada.find("person-state").click();
  await ada.page.getByText("They are kept out; their sessions ended.").waitFor();
  await bo.find("sign-in-email").waitFor();
  await bo.context.close();
  await ada.find("person-remove").click();
  await ada.page.getByRole("button", { name: /^Remove Bo Lind/ }).click();
  await ada.find("person-row").first().waitFor();
  expect(await count(ada, "person-row")).toBe(1);
  expect(ada.errors).toEqual([]);
}, 60_000);

test("the last administrator stays, in plain words", async () => {
  await go(ada, "/people");
  await ada.find("person-row").first().click();
  await ada.find("person-state").click();
  await ada.page.locator('[data-testid="problem"][data-code="auth.lastAdministrator"]').waitFor();
}, 30_000);

test("a role of one's own, a key that is revoked, a screen on a wall", async () => {
  await go(ada, "/people/roles");
  await ada.page.locator('[data-testid="role-row"][data-name="auditor"] summary').click();
  await ada.page
    .locator('[data-testid="role-row"][data-name="auditor"]')
    .getByText("Read and export the audit")
    .waitFor();
  await isClean(ada, "roles");
  await ada.page.getByRole("button", { name: "A role of your own" }).click();
  await ada.find("role-name").fill("night-shift");
  await ada.page.getByRole("checkbox", { name: "plant.read" }).check();
  await isClean(ada, "role");
  await ada.find("role-save").click();
  await ada.page.locator('[data-testid="role-row"][data-name="night-shift"]').waitFor();

  await go(ada, "/people/keys");
  await ada.page.getByRole("button", { name: "New key or screen" }).click();
  await ada.find("key-name").fill("Report");
  await isClean(ada, "key");
  await ada.find("key-create").click();
  const key = await ada.find("once-shown").locator("code").innerText();
  const asKey = () => fetch(`${stack.hubUrl}/api/v1/me`, { headers: { authorization: `Bearer ${key}` } });
  expect((await asKey()).status).toBe(200);
  await ada.page.getByRole("button", { name: "I have it" }).click();
  const row = ada.page.locator('[data-testid="key-row"][data-name="Report"]');
  await row.getByRole("button", { name: "Revoke Report" }).click();
  await row.getByRole("button", { name: "Revoke it" }).click();
  await row.getByText("revoked").waitFor();
  expect((await asKey()).status).toBe(401);
  await ada.page.getByRole("button", { name: "New key or screen" }).click();
  await ada.page.getByLabel("For").selectOption("kiosk");
  await ada.find("key-name").fill("Hall 1");
  await ada.find("key-create").click();
  expect(await ada.find("once-shown").locator("code").innerText()).toContain("/kiosk#token=");
  await ada.page.getByRole("button", { name: "I have it" }).click();
  await ada.page.locator('[data-testid="key-row"][data-name="Hall 1"]').getByText("screen").waitFor();
  await isClean(ada, "keys");
  expect(ada.errors).toEqual([]);
}, 60_000);

test("a browser becomes a shared tablet of a place, and is taken away", async () => {
  await go(ada, "/people/tablets");
  await ada.find("tablet-name").fill("Tablet 1");
  await ada.page.getByLabel("Place").selectOption({ label: "Elsewhere" });
  await ada.find("tablet-enrol").click();
  const row = ada.page.locator('[data-testid="tablet-row"][data-name="Tablet 1"]');
  await row.getByText("this browser").waitFor();
  await isClean(ada, "tablets");
  await row.getByRole("button", { name: "Remove Tablet 1" }).click();
  await row.getByRole("button", { name: /^Remove it/ }).click();
  // Whoever is signed in on it is signed out, the one who removed it too.
  await ada.find("sign-in-email").waitFor();
  expect(ada.errors).toEqual([]);
}, 30_000);
