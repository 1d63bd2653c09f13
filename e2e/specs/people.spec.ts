import { afterAll, beforeAll, expect, test } from "bun:test";
import { AxeBuilder } from "@axe-core/playwright";
import type { Site } from "@millrace/contract/api/plant";
import type { TestId } from "../../web/src/lib/test-id.ts";
import type { Stack } from "../stack/stack.ts";
import { Person, PHONE, TABLET } from "./browser.ts";
import { openSceneWithAda, type Scene } from "./scene.ts";

/** People and what they may: an administrator invites, and a viewer, an operator and an auditor see what is theirs. */

let scene: Scene | undefined;
let stack: Stack;
let ada: Person;
let sites: Site[];

beforeAll(async () => {
  const opened = await openSceneWithAda("people");
  scene = opened;
  ({ stack, ada } = opened);
  sites = await stack.api.all<Site>("/sites");
  // A branch of its own with nothing in it, so that everything of the plant is foreign there.
  await stack.api.post("/sites", { name: "Elsewhere", kind: "site", parentId: null });
  sites = await stack.api.all<Site>("/sites");
}, 120_000);
afterAll(() => scene?.close(), 60_000);

async function isClean(person: Person, name: string): Promise<void> {
  for (const [size, viewport, colorScheme] of [
    ["tablet", TABLET, "light"],
    ["phone", PHONE, "dark"],
  ] as const) {
    await person.page.setViewportSize(viewport);
    await person.page.emulateMedia({ colorScheme });
    const { violations } = await new AxeBuilder({ page: person.page }).analyze();
    const wider = await person.page.evaluate("document.documentElement.scrollWidth - innerWidth");
    const found = violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
    expect([name, size, found, wider]).toEqual([name, size, [], 0]);
    await person.picture(`people-${name}-${size}-${colorScheme}`);
  }
  await person.page.setViewportSize(TABLET);
  await person.page.emulateMedia({ colorScheme: "light" });
}

async function arriveAs(name: string, role: string, siteId: string | null): Promise<Person> {
  const email = `${name.toLowerCase()}@plant.example`;
  const grants = [{ role, siteId }];
  const { link } = await stack.api.post<{ link: string }>("/invitations", { name, email, grants });
  const person = await Person.arrive(scene!.browser, TABLET);
  await person.page.goto(link);
  await person.find("invitation-by-password").click();
  await person.find("invitation-password").fill(`the long password of ${name}`);
  await person.find("invitation-submit").click();
  await person.page.locator("main#main").waitFor();
  return person;
}

const go = (person: Person, path: string) => person.page.goto(`${stack.hubUrl}${path}`);
async function isRefused(person: Person, path: string, permission: string): Promise<void> {
  await go(person, path);
  const told = person.find("not-allowed");
  await told.waitFor();
  expect([path, await told.getAttribute("data-permission")]).toEqual([path, permission]);
}
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
  await bo.page.goto(link);
  await bo.find("invitation-by-password").click();
  await bo.find("invitation-password").fill("the long password of Bo");
  await bo.find("invitation-submit").click();
  await bo.page.locator("main#main").waitFor();

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
  await isClean(ada, "keys");
  expect(ada.errors).toEqual([]);
}, 60_000);

test("a viewer of one branch sees nothing of the others, and a direct link is explained", async () => {
  const elsewhere = sites.find(({ name }) => name === "Elsewhere")!;
  const vera = await arriveAs("Vera", "viewer", elsewhere.id);
  await isRefused(vera, "/audit", "audit.read");
  await isClean(vera, "refused");
  await isRefused(vera, "/people", "person.read");
  await isRefused(vera, "/plant/devices/new", "plant.edit");
  await isRefused(vera, "/plant/versions", "plant.read");
  await go(vera, "/more");
  await vera.find("sign-out").waitFor();
  expect([await count(vera, "audit-open"), await count(vera, "history-storage")]).toEqual([0, 0]);
  await go(vera, "/gateways");
  await vera.page.getByText("No gateways yet.").waitFor();
  expect(await count(vera, "gateway-add")).toBe(0);
  await go(vera, "/plant/places");
  await vera.find("place-row").first().waitFor();
  expect([await count(vera, "place-row"), await count(vera, "place-new")]).toEqual([1, 0]);
  expect(vera.errors).toEqual([]);
  await vera.context.close();
}, 60_000);

test("an operator works and configures nothing; an auditor looks at everything", async () => {
  const olle = await arriveAs("Olle", "operator", null);
  await go(olle, "/plant");
  await olle.find("device-rows").waitFor();
  expect(await count(olle, "device-add")).toBe(0);
  await olle.page.locator('[data-testid="device-rows"] a').first().click();
  await olle.find("device-form").waitFor();
  expect([await count(olle, "device-publish"), await count(olle, "try-out")]).toEqual([0, 0]);
  await isRefused(olle, "/security", "system.read");
  await olle.context.close();

  const anna = await arriveAs("Anna", "auditor", null);
  await go(anna, "/audit");
  await anna.find("audit-row").first().waitFor();
  await go(anna, "/people");
  await anna.find("person-row").first().waitFor();
  expect(await count(anna, "invite-open")).toBe(0);
  await anna.page.locator('[data-testid="person-row"][data-email="ada@plant.example"]').click();
  await anna.page.getByText("You cannot change this person").waitFor();
  expect([await count(anna, "person-save"), await count(anna, "person-state")]).toEqual([0, 0]);
  await isRefused(anna, "/people/invite", "person.edit");
  expect(anna.errors).toEqual([]);
  await anna.context.close();
}, 60_000);
