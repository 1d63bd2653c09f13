import { afterAll, beforeAll, expect, test } from "bun:test";
import { SQL } from "bun";
import { OIDC_CLIENT, type OidcPeer, oidcPeer } from "../../server/test/oidc-peer.ts";
import type { TestId } from "../../web/src/lib/test-id.ts";
import { freePort } from "../stack/free-port.ts";
import { codeOf, giveAuthenticator } from "./authenticator.ts";
import { ADMIN, joinByPassword, Person, TABLET } from "./browser.ts";
import { isClean } from "./clean.ts";
import { openSceneWithAda, type Scene } from "./scene.ts";

/** Showing again who one is, in each way there is; ways in that are removed; single sign-on at a provider of others. */

const PASSWORD = "cy has a long password";
let peer: OidcPeer;
let scene: Scene;
let sql: SQL;

beforeAll(async () => {
  const hubPort = freePort();
  peer = await oidcPeer(`http://localhost:${hubPort}/api/auth/callback/sso`);
  const hubEnv = {
    MILLRACE_OIDC_ISSUER: peer.issuer,
    MILLRACE_OIDC_CLIENT_ID: OIDC_CLIENT.clientId,
    MILLRACE_OIDC_CLIENT_SECRET: OIDC_CLIENT.clientSecret,
    MILLRACE_OIDC_NAME: "Plant directory",
    MILLRACE_OIDC_ROLES: "operators=operator",
  };
  scene = await openSceneWithAda("factors", { hubPort, hubEnv });
  sql = new SQL({ url: scene.stack.databaseUrl(), adapter: "postgres", max: 1 });
}, 120_000);
afterAll(async () => {
  await sql?.close({ timeout: 1 });
  await scene?.close();
  await peer?.[Symbol.asyncDispose]();
}, 60_000);

/** More than ten minutes go by since anybody showed who they are. */
const age = () => sql`UPDATE session SET fresh_at = now() - interval '11 minutes'`;
const account = (person: Person) => person.page.goto(`${scene.stack.hubUrl}/account`);
const said = (person: Person, words: string) => person.page.getByText(words).waitFor();
const press = (person: Person, name: string | RegExp) => person.page.getByRole("button", { name }).click();
const problem = (person: Person, code: string) =>
  person.page.locator(`[data-testid="problem"][data-code="${code}"]`).waitFor();
const gone = (person: Person, id: TestId) => person.find(id).waitFor({ state: "detached" });

async function savePin(person: Person, pin: string): Promise<void> {
  await person.find("pin-new").fill(pin);
  await person.find("pin-save").click();
}

test("who one is is shown again by password and code or by passkey; then app, password and passkey go", async () => {
  const cy = await Person.arrive(scene.browser, TABLET);
  const grants = [{ role: "viewer", siteId: null }];
  const invitation = { name: "Cy Olsen", email: "cy@plant.example", grants };
  const { link } = await scene.stack.api.post<{ link: string }>("/invitations", invitation);
  await joinByPassword(cy, link, PASSWORD);
  await giveAuthenticator(cy);
  await account(cy);
  await cy.find("app-add").click();
  const secret = await cy.find("app-secret").innerText();
  await cy.find("app-code").fill(codeOf(secret));
  await cy.find("app-confirm").click();
  await press(cy, "I kept them");
  await cy.find("passkey-add").click();
  await cy.find("passkey-row").waitFor();

  await age();
  await savePin(cy, "739164");
  await cy.find("step-up-passkey").waitFor();
  await isClean(cy, "step-up");
  await cy.find("step-up-password").fill(PASSWORD);
  await cy.find("step-up-code").fill("000000");
  await cy.find("step-up-submit").click();
  await problem(cy, "auth.codeWrong");
  // The app's next code: the present one was used to set it up.
  await cy.find("step-up-code").fill(codeOf(secret, Date.now() + 30_000));
  await cy.find("step-up-submit").click();
  await said(cy, "You have a PIN.");
  await gone(cy, "step-up");

  await age();
  await press(cy, "Remove PIN");
  await cy.find("step-up-passkey").click();
  await said(cy, "You have no PIN.");

  await age();
  await press(cy, "Remove the app");
  await cy.find("app-remove").click();
  await cy.find("step-up-passkey").waitFor();
  await press(cy, "Leave it");
  await problem(cy, "auth.fresh");
  await press(cy, "Remove the app");
  await cy.find("app-remove").click();
  await cy.find("step-up-passkey").click();
  await cy.find("app-add").waitFor();

  await press(cy, "Remove the password");
  await isClean(cy, "account-removing");
  await cy.find("password-remove").click();
  await cy.page.getByRole("button", { name: "Set password" }).waitFor();
  const removePasskey = async () => {
    await press(cy, /^Remove (?!PIN|the)/);
    await cy.find("passkey-remove").click();
  };
  await removePasskey();
  await problem(cy, "auth.lastFactor");
  await cy.find("password-new").fill(`${PASSWORD}, again`);
  await cy.find("password-save").click();
  await cy.find("password-now").waitFor();
  await removePasskey();
  await gone(cy, "passkey-row");
  expect(cy.errors).toEqual([]);
  await cy.context.close();
}, 60_000);

/** Says at the provider's own pages who one is, and that this is fine. */
async function atProvider(person: Person, login: string): Promise<void> {
  const { page } = person;
  await page.locator("input[name=login]").fill(login);
  await page.locator("input[name=password]").fill("any");
  await page.getByRole("button", { name: "Sign-in" }).click();
  const goOn = page.getByRole("button", { name: "Continue" });
  await goOn.or(page.locator("main")).first().waitFor();
  if (await goOn.isVisible()) await goOn.click();
}

async function arriveAtProvider(): Promise<Person> {
  const person = await Person.arrive(scene.browser, TABLET);
  // The provider's pages ask for a font of somebody else.
  await person.page.route("https://**", (route) => route.abort());
  await person.page.goto(scene.stack.hubUrl);
  await person.find("sign-in-sso").waitFor();
  return person;
}

test("single sign-on: the button leads in, shows again who one is, and says why it does not", async () => {
  const verified = { email_verified: true, groups: ["operators"] };
  peer.people.set("grace", { sub: "grace", email: "grace@plant.example", name: "Grace", ...verified });
  const grace = await arriveAtProvider();
  await isClean(grace, "sign-in-sso");
  await grace.find("sign-in-sso").click();
  await atProvider(grace, "grace");
  await grace.find("overview").waitFor();
  await account(grace);
  await said(grace, "You also sign in by Plant directory.");
  await age();
  await savePin(grace, "739164");
  await press(grace, /^Show it at Plant directory/);
  await atProvider(grace, "grace");
  await grace.find("overview").waitFor();
  await account(grace);
  await savePin(grace, "739164");
  await said(grace, "You have a PIN.");
  expect(grace.errors).toEqual([]);
  await grace.context.close();

  // Somebody who says there that Ada's address is theirs, which nobody verified.
  const mallory = { sub: "mallory", email: ADMIN.email, name: "Mallory", email_verified: false, groups: [] };
  peer.people.set("mallory", mallory);
  const stranger = await arriveAtProvider();
  await stranger.find("sign-in-sso").click();
  await atProvider(stranger, "mallory");
  await problem(stranger, "auth.refused");
  await isClean(stranger, "sign-in-sso-refused");
  expect(stranger.errors).toEqual([]);
  await stranger.context.close();
}, 60_000);
