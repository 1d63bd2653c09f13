import { afterAll, beforeAll, expect, test } from "bun:test";
import type { TestId } from "../../web/src/lib/test-id.ts";
import type { Stack } from "../stack/stack.ts";
import { joinByPassword, Person, TABLET } from "./browser.ts";
import { isClean } from "./clean.ts";
import { openSceneWithAda, type Scene } from "./scene.ts";

/** A viewer of one branch, an operator and an auditor see what is theirs; a direct link to the rest is explained. */

let scene: Scene | undefined;
let stack: Stack;
let elsewhere: string;

beforeAll(async () => {
  scene = await openSceneWithAda("permissions");
  stack = scene.stack;
  // A branch with nothing in it, so that everything of the plant is foreign there.
  const site = { name: "Elsewhere", kind: "site", parentId: null };
  elsewhere = (await stack.api.post<{ id: string }>("/sites", site)).id;
}, 120_000);
afterAll(() => scene?.close(), 60_000);

async function arriveAs(name: string, role: string, siteId: string | null): Promise<Person> {
  const email = `${name.toLowerCase()}@plant.example`;
  const grants = [{ role, siteId }];
  const { link } = await stack.api.post<{ link: string }>("/invitations", { name, email, grants });
  const person = await Person.arrive(scene!.browser, TABLET);
  await joinByPassword(person, link, `the long password of ${name}`);
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

test("a viewer of one branch sees nothing of the others, and a direct link is explained", async () => {
  const vera = await arriveAs("Vera", "viewer", elsewhere);
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
