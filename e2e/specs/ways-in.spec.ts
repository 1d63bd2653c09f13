import { afterAll, beforeAll, expect, test } from "bun:test";
import AxeBuilder from "@axe-core/playwright";
import { codeOf, giveAuthenticator } from "./authenticator.ts";
import { ADMIN, eventually, joinByPassword, Person, PHONE, setUp, signIn } from "./browser.ts";
import { openScene, type Scene } from "./scene.ts";

/** The ways in as people meet them: invitation, passkey, password and code, account, and being signed out by another. */

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

let scene: Scene;
let ada: Person;

beforeAll(async () => {
  scene = await openScene("ways-in");
  ada = await Person.arrive(scene.browser);
  await setUp(ada, scene.stack.setupLink!);
}, 120_000);
afterAll(() => scene?.close(), 60_000);

/** In the light and in the dark, on the device it stands on. */
async function checkAxe(person: Person, name: string): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await person.page.emulateMedia({ colorScheme });
    const { violations } = await new AxeBuilder({ page: person.page }).withTags(RULES).analyze();
    const found = violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
    expect([name, colorScheme, found]).toEqual([name, colorScheme, []]);
    await person.picture(`ways-${name}-${colorScheme}`);
  }
}

/** A card of a device shows a number with its unit. */
const seesValues = (person: Person) =>
  person
    .find("device-card")
    .filter({ hasText: /\d\s*°C/ })
    .first()
    .waitFor();

const invite = async (name: string, email: string): Promise<string> =>
  (
    await scene.stack.api.post<{ link: string }>("/invitations", {
      name,
      email,
      grants: [{ role: "viewer", siteId: null }],
    })
  ).link;

test("an invited person with a passkey sees values within 30 seconds, and comes back by it", async () => {
  const link = await invite("Bo Lind", "bo@plant.example");
  const bo = await Person.arrive(scene.browser, PHONE);
  const own = await giveAuthenticator(bo);
  const startMs = performance.now();
  await bo.page.goto(link);
  await bo.find("invitation-passkey").waitFor();
  expect(await bo.page.evaluate("location.href")).not.toContain("token");
  const lookedMs = performance.now();
  await checkAxe(bo, "invitation");
  const axeMs = performance.now() - lookedMs;
  await bo.find("invitation-passkey").click();
  await bo.find("overview").waitFor();
  await seesValues(bo);
  const tookS = (performance.now() - startMs - axeMs) / 1_000;
  console.log(`From opening the link to a screen with values: ${tookS.toFixed(1)} s`);
  expect(tookS).toBeLessThan(30);
  expect(await own.passkeys()).toBe(1);
  // The link is used up.
  const eve = await Person.arrive(scene.browser);
  await eve.page.goto(link);
  await eve.page.locator('[data-testid="problem"][data-code="invitation.refused"]').waitFor();
  await eve.context.close();

  await bo.page.goto(`${scene.stack.hubUrl}/more`);
  await own.touch(false);
  await bo.find("sign-out").click();
  await bo.find("sign-in-passkey").waitFor();
  await own.touch(true);
  // Offered in the field as well, the passkey may be answered there at once.
  await bo
    .find("sign-in-passkey")
    .click({ timeout: 3_000 })
    .catch(() => undefined);
  await bo.page.locator("main#main").waitFor();
  expect(bo.errors).toEqual([]);
  await bo.context.close();
}, 60_000);

test("the account: app with codes shown once, passkey, PIN, all others out; then password, code and a recovery code", async () => {
  const url = scene.stack.hubUrl;
  const cy = await Person.arrive(scene.browser);
  const link = await invite("Cy Olsen", "cy@plant.example");
  await joinByPassword(cy, link, "cy has a long password");
  const elsewhere = await Person.arrive(scene.browser, PHONE, "dark");
  const password = async (person: Person) => {
    await person.find("sign-in-email").fill("cy@plant.example");
    await person.find("sign-in-password").fill("cy has a long password");
    await person.find("sign-in-submit").click();
  };
  await elsewhere.page.goto(url);
  await checkAxe(elsewhere, "sign-in-dark");
  await password(elsewhere);
  await elsewhere.find("overview").waitFor();

  await giveAuthenticator(cy);
  await cy.page.goto(`${url}/account`);
  await cy.find("session-row").nth(1).waitFor();
  await cy.find("app-add").click();
  const secret = await cy.find("app-secret").innerText();
  await checkAxe(cy, "account-app");
  await cy.find("app-code").fill(codeOf(secret));
  await cy.find("app-confirm").click();
  const codes = (await cy.find("recovery-codes").innerText()).split("\n");
  expect(codes.length).toBeGreaterThanOrEqual(8);
  await cy.page.getByRole("button", { name: "I kept them" }).click();
  await cy.find("passkey-add").click();
  await cy.find("passkey-row").waitFor();
  await cy.page.getByRole("button", { name: /^Rename/ }).click();
  await cy.find("passkey-name").fill("Cy's key");
  await cy.find("passkey-save").click();
  await cy.find("passkey-row").getByText("Cy's key", { exact: true }).waitFor();
  await cy.find("pin-new").fill("482915");
  await cy.find("pin-save").click();
  await cy.page.getByText("You have a PIN.").waitFor();
  await checkAxe(cy, "account");

  await cy.find("sessions-end").click();
  // The other screen is told by its closed socket, says why, and shows no value any more.
  await elsewhere.find("sign-in-why").waitFor();
  expect(await elsewhere.find("sign-in-why").innerText()).toContain("session ended");
  expect(
    await elsewhere.page.locator('[data-testid="value-cell"], [data-testid="device-card"]').count(),
  ).toBe(0);

  await password(elsewhere);
  await elsewhere.find("second-factor-code").waitFor();
  await checkAxe(elsewhere, "second-factor");
  await elsewhere.find("second-factor-code").fill("000000");
  await elsewhere.find("second-factor-submit").click();
  await elsewhere.page.locator('[data-testid="problem"][data-code="auth.codeWrong"]').waitFor();
  await elsewhere.page.getByRole("button", { name: "Use a recovery code" }).click();
  await elsewhere.find("second-factor-code").fill(codes[0]!);
  await elsewhere.find("second-factor-submit").click();
  await elsewhere.page.locator("main#main").waitFor();
  expect([...cy.errors, ...elsewhere.errors]).toEqual([]);
  await elsewhere.context.close();
  await cy.context.close();
}, 90_000);

test("a shared tablet: people as tiles, PIN by pad or keyboard, switch person; wrong PINs say the way on", async () => {
  const { stack } = scene;
  const site = (await stack.api.all<{ id: string; path: string }>("/sites"))[0]!;
  const tablet = await Person.arrive(scene.browser);
  await signIn(tablet, stack.hubUrl);
  const asked = (method: string, path: string, body: object) =>
    tablet.page.evaluate(
      async ([method, path, body]) =>
        (
          await fetch(path!, {
            method: method!,
            headers: { "content-type": "application/json" },
            body: body!,
          })
        ).status,
      [method, `/api/v1${path}`, JSON.stringify(body)],
    );
  expect([
    await asked("PUT", "/me/pin", { pin: "739164" }),
    await asked("POST", "/shared-devices", { name: "Tablet line 3", siteId: site.id }),
  ]).toEqual([200, 200]);
  await tablet.page.reload();
  await tablet.find("switch-person").click();
  await tablet.find("tablet-person").first().waitFor();
  await checkAxe(tablet, "tablet-people");
  const tile = () => tablet.find("tablet-person").filter({ hasText: ADMIN.name });
  const sizes = await tablet
    .find("tablet-person")
    .evaluateAll((tiles) => tiles.map((tile) => tile.getBoundingClientRect().height));
  expect(Math.min(...sizes)).toBeGreaterThanOrEqual(48);
  await tile().click();
  for (const digit of "739164") await tablet.find("tablet-key").filter({ hasText: digit }).click();
  await checkAxe(tablet, "tablet-pad");
  await tablet.find("sign-in-submit").click();
  await tablet.find("overview").waitFor();
  // A quarter of an hour in which nobody touches it, on the browser's clock.
  await tablet.page.clock.install();
  await tablet.page.keyboard.press("Shift");
  await tablet.page.clock.fastForward(15 * 60_000 + 1_000);
  await tablet.find("sign-in-why").getByText("nobody used this tablet").waitFor();
  await tablet.page.clock.resume();
  await tile().click();
  for (let tries = 0; tries < 6; tries++) {
    await tablet.page.keyboard.type("111222");
    await tablet.page.keyboard.press("Enter");
    await tablet.page.locator(`[data-code="${tries < 5 ? "auth.refused" : "auth.pinLocked"}"]`).waitFor();
  }
  await checkAxe(tablet, "tablet-locked");
  await tablet.page.getByRole("button", { name: "Sign in with password or passkey" }).click();
  await tablet.find("sign-in-form").waitFor();
  expect(tablet.errors).toEqual([]);
  await tablet.context.close();
}, 60_000);

test("a kiosk link opens read-only screens without an account", async () => {
  const { stack } = scene;
  const { link } = await stack.api.post<{ link: string }>("/api-keys", {
    kind: "kiosk",
    name: "Wall hall 1",
    grants: [{ role: "viewer", siteId: null }],
  });
  const wall = await Person.arrive(scene.browser);
  // The answer about the stranger who opened the page comes when the kiosk is in already, and counts no more.
  await wall.page.route("**/api/v1/setup", async (route) => {
    await wall.find("overview").waitFor();
    await route.continue();
  });
  await wall.page.goto(link);
  await seesValues(wall);
  expect(wall.page.url()).not.toContain("token");
  expect(await wall.page.locator('nav a[href="/more"]').count()).toBe(0);
  await wall.picture("ways-kiosk");
  // Whatever is typed, it stays what it is and says so.
  for (const path of ["/plant", "/account", "/setup", "/sign-in", "/nowhere"]) {
    await wall.page.goto(`${stack.hubUrl}${path}`);
    await wall.find("kiosk-notice").waitFor();
    await wall.find("overview").waitFor();
  }
  await checkAxe(wall, "kiosk-away");
  await wall.page.locator('nav a[href="/tags"]').click();
  await wall.find("tag-row").first().waitFor();
  expect(await wall.find("kiosk-notice").count()).toBe(0);
  await wall.page.goto(`${stack.hubUrl}/kiosk`);
  await seesValues(wall);
  expect(wall.errors).toEqual([]);
  await wall.context.close();
}, 60_000);

test("after several wrong passwords the wait is counted down", async () => {
  const dee = await Person.arrive(scene.browser);
  await dee.page.goto(scene.stack.hubUrl);
  await dee.find("sign-in-email").fill("nobody@plant.example");
  for (let tries = 0; tries < 6; tries++) {
    await dee.find("sign-in-password").fill("guess number one");
    await dee.page.keyboard.press("Enter");
    await dee.page.locator('[data-code="auth.refused"], [role="timer"]').first().waitFor();
    if ((await dee.page.locator('[role="timer"]').count()) > 0) break;
    await dee.page.waitForFunction('!document.querySelector("[data-testid=sign-in-submit]").disabled');
  }
  await dee.page.locator('[role="timer"]').waitFor();
  await checkAxe(dee, "wait");
  await eventually("the button again", () => dee.find("sign-in-submit").isEnabled(), Boolean);
  await dee.context.close();
}, 60_000);

test("where the hub asks for a second factor, it says why and nothing else opens before", async () => {
  const { stack } = scene;
  await stack.hub.stop();
  stack.options.hubEnv = { ...stack.options.hubEnv, MILLRACE_MFA: "administrators" };
  await stack.startHub();
  await giveAuthenticator(ada);
  await ada.page.goto(`${stack.hubUrl}/tags`);
  await ada.find("must-enrol").waitFor();
  expect(await ada.find("tag-row").count()).toBe(0);
  await checkAxe(ada, "must-enrol");
  await ada.find("passkey-add").click();
  // Ten minutes have not gone by since she signed in, or the hub asks again who she is.
  await ada.find("tag-row").first().waitFor();
}, 60_000);
