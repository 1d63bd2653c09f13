import { afterAll, beforeAll, expect, test } from "bun:test";
import type { TestId } from "../../web/src/lib/test-id.ts";
import type { Stack } from "../stack/stack.ts";
import { ADMIN, joinByPassword, Person, TABLET } from "./browser.ts";
import { isClean } from "./clean.ts";
import { openSceneWithAda, type Scene } from "./scene.ts";

/** An administrator looks after people, roles, keys and shared tablets by screen. */

let scene: Scene | undefined;
let stack: Stack;
let ada: Person;
/** Somebody guesses Carl's password until the pauses are long; meanwhile the stories before his go on. */
const CARL = { name: "Carl Holm", email: "carl@plant.example", password: "the long password of Carl" };
let carl: Person;
let worn: Promise<void>;

beforeAll(async () => {
  const opened = await openSceneWithAda("people");
  scene = opened;
  ({ stack, ada } = opened);
  await stack.api.post("/sites", { name: "Elsewhere", kind: "site", parentId: null });
  carl = await Person.arrive(opened.browser, TABLET);
  const link = await invited(CARL.name, CARL.email, [{ role: "viewer", siteId: null }]);
  await joinByPassword(carl, link, CARL.password);
  worn = guess(CARL.email, 8);
}, 120_000);
afterAll(() => scene?.close(), 60_000);

const go = (person: Person, path: string) => person.page.goto(`${stack.hubUrl}${path}`);

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
  expect(await row("person-row", "bo@plant.example").count()).toBe(0);
  expect(ada.errors).toEqual([]);
}, 60_000);

const row = (id: TestId, email: string) => ada.page.locator(`[data-testid="${id}"][data-email="${email}"]`);
const asKey = (key: string) =>
  fetch(`${stack.hubUrl}/api/v1/me`, { headers: { authorization: `Bearer ${key}` } });
/** So many wrong passwords are looked at; between them the hub asks for pauses, each twice as long. */
async function guess(email: string, times: number): Promise<void> {
  for (let looked = 0; looked < times; await Bun.sleep(250))
    if ((await tries(email, "some guess")) === 401) looked++;
}
const invited = async (name: string, email: string, grants: object[]) =>
  (await stack.api.post<{ link: string }>("/invitations", { name, email, grants })).link;
/** A sign-in beside all screens; its status. */
const tries = async (email: string, password: string): Promise<number> =>
  (
    await fetch(`${stack.hubUrl}/api/v1/sign-in/password`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: stack.hubUrl },
      body: JSON.stringify({ email, password }),
    })
  ).status;

test("a link that was taken back opens nothing", async () => {
  const email = "dora@plant.example";
  const link = await invited("Dora Ek", email, [{ role: "viewer", siteId: null }]);
  await go(ada, "/people");
  await row("invitation-row", email)
    .getByRole("button", { name: /^Take it back/ })
    .click();
  await row("invitation-row", email).waitFor({ state: "detached" });
  const dora = await Person.arrive(scene!.browser, TABLET);
  await dora.page.goto(link);
  await dora.page.locator('[data-testid="problem"][data-code="invitation.refused"]').waitFor();
  await dora.context.close();
}, 30_000);

test("the last administrator stays, in plain words", async () => {
  await go(ada, "/people");
  await row("person-row", ADMIN.email).click();
  await ada.find("person-state").click();
  await ada.page.locator('[data-testid="problem"][data-code="auth.lastAdministrator"]').waitFor();
}, 30_000);

test("roles in plain words, and one of one's own", async () => {
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
  expect(ada.errors).toEqual([]);
}, 60_000);

test("a role of one's own is changed, held by somebody who gives no more than it holds, and deleted", async () => {
  const ownRole = ada.page.locator('[data-testid="role-row"][data-name="night-shift"]');
  await go(ada, "/people/roles");
  await ownRole.locator("summary").click();
  await ownRole.getByRole("button", { name: "Change…" }).click();
  await ada.find("role-text").fill("Looks after the night shift");
  for (const name of ["gateway.read", "sample.read", "person.read", "person.edit"])
    await ada.page.getByRole("checkbox", { name }).check();
  await ada.find("role-save").click();
  await ownRole.getByText("Looks after the night shift").waitFor();

  const sites = await stack.api.all<{ id: string; name: string }>("/sites");
  const siteId = sites.find(({ name }) => name === "Elsewhere")!.id;
  const eva = await Person.arrive(scene!.browser, TABLET);
  const link = await invited("Eva Ny", "eva@plant.example", [{ role: "night-shift", siteId }]);
  await joinByPassword(eva, link, "the long password of Eva");
  await go(eva, "/people/invite");
  const offered = eva.find("grant-role").locator("option");
  await offered.nth(1).waitFor({ state: "attached" });
  expect(await offered.allInnerTexts()).toEqual(["viewer", "night-shift"]);
  const places = eva.find("grant-place").locator("option");
  expect(await places.allInnerTexts()).toEqual(["Elsewhere and below"]);
  expect(eva.errors).toEqual([]);
  await eva.context.close();

  await go(ada, "/people/roles");
  await ownRole.locator("summary").click();
  expect(await ownRole.getByRole("button", { name: "Held, so it cannot be deleted" }).isDisabled()).toBe(
    true,
  );
  await go(ada, "/people");
  await row("person-row", "eva@plant.example").click();
  await ada.find("person-remove").click();
  await ada.page.getByRole("button", { name: /^Remove Eva Ny/ }).click();
  await ada.find("person-row").first().waitFor();
  await go(ada, "/people/roles");
  await ownRole.locator("summary").click();
  await ownRole.getByRole("button", { name: "Delete" }).click();
  await ownRole.waitFor({ state: "detached" });
  expect(ada.errors).toEqual([]);
}, 60_000);

test("a key that is revoked, a screen on a wall", async () => {
  await go(ada, "/people/keys");
  await ada.page.getByRole("button", { name: "New key or screen" }).click();
  await ada.find("key-name").fill("Report");
  await isClean(ada, "key");
  await ada.find("key-create").click();
  const key = await ada.find("once-shown").locator("code").innerText();
  expect((await asKey(key)).status).toBe(200);
  await ada.page.getByRole("button", { name: "I have it" }).click();
  const report = ada.page.locator('[data-testid="key-row"][data-name="Report"]');
  await report.getByRole("button", { name: "Revoke Report" }).click();
  await report.getByRole("button", { name: "Revoke it" }).click();
  await report.getByText("revoked").waitFor();
  expect((await asKey(key)).status).toBe(401);
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

test("somebody who is locked out is unlocked, signed out from afar, and comes back by a new link", async () => {
  const { email, password: old } = CARL;
  const next = "another password of Carl";
  await worn;
  await guess(email, 1);
  await go(ada, "/people");
  const lock = row("person-locked", email);
  await lock.getByText(/Locked until \d\d:\d\d:\d\d/).waitFor();
  await isClean(ada, "locked");
  expect(await tries(email, old)).toBe(429);
  await lock.getByRole("button", { name: "Unlock Carl Holm" }).click();
  await lock.waitFor({ state: "detached" });
  expect([await tries(email, old), await tries(email, old)]).toEqual([200, 200]);

  await row("person-row", email).click();
  await ada.find("person-unlock").click();
  await ada.page.getByText("Wrong passwords and codes are forgotten.").waitFor();
  const sessions = ada.find("session-row");
  await sessions.nth(2).waitFor();
  await ada.page
    .getByRole("button", { name: /^End the session/ })
    .first()
    .click();
  await sessions.nth(2).waitFor({ state: "detached" });
  await ada.page.getByRole("button", { name: "End all" }).click();
  await ada.page.getByText("Nowhere at present.").waitFor();
  await carl.find("sign-in-why").waitFor();

  await ada.page.getByRole("checkbox", { name: /phone is lost/ }).check();
  await ada.find("person-link").click();
  const link = await ada.find("once-shown").locator("code").innerText();
  await isClean(ada, "reset-link");
  await ada.page.getByRole("button", { name: "I have it" }).click();
  await joinByPassword(carl, link, next);
  expect([await tries(email, old), await tries(email, next)]).toEqual([401, 200]);
  expect([...ada.errors, ...carl.errors]).toEqual([]);
  await carl.context.close();
}, 60_000);

test("a browser becomes a shared tablet of a place, and is taken away", async () => {
  await go(ada, "/people/tablets");
  await ada.find("tablet-name").fill("Tablet 1");
  await ada.page.getByLabel("Place").selectOption({ label: "Elsewhere" });
  await ada.find("tablet-enrol").click();
  const tablet = ada.page.locator('[data-testid="tablet-row"][data-name="Tablet 1"]');
  await tablet.getByText("this browser").waitFor();
  await isClean(ada, "tablets");
  await tablet.getByRole("button", { name: "Remove Tablet 1" }).click();
  await tablet.getByRole("button", { name: /^Remove it/ }).click();
  // Whoever is signed in on it is signed out, the one who removed it too.
  await ada.find("sign-in-email").waitFor();
  expect(ada.errors).toEqual([]);
}, 30_000);
