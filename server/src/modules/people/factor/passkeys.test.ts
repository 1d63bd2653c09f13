import { expect, test } from "bun:test";
import { Authenticator, type Tampering } from "../../../../test/authenticator.ts";
import { adaAt, Browser } from "../../../../test/browser.ts";
import { ADA, type TestHub, testHub } from "../../../../test/hub.ts";
import { TICKET } from "../sign-in/tickets.ts";
import { askForPasskey } from "./passkeys.ts";

const ADD = "/api/v1/me/passkeys";
const SIGN_IN = "/api/v1/sign-in/passkey";

/** Adds a passkey to the account of whoever is signed in. */
async function added(browser: Browser, tampering: Tampering = {}) {
  const authenticator = new Authenticator();
  const options = await browser.must("POST", `${ADD}/options`);
  const credential = authenticator.create(options, tampering);
  const code = await browser.codeOf("POST", ADD, { name: "Ada's phone", credential });
  return { authenticator, credential, code };
}

async function signedIn(hub: TestHub, authenticator: Authenticator, tampering: Tampering = {}) {
  const browser = new Browser(hub);
  const options = await browser.must("POST", `${SIGN_IN}/options`);
  const credential = authenticator.get(options, tampering);
  return { browser, credential, code: await browser.codeOf("POST", SIGN_IN, { credential }) };
}

const refusals = async (hub: TestHub) =>
  (
    await hub.call<{ items: { action: string; subject: string }[] }>(
      "GET",
      "/api/v1/audit?action=passkey.refused",
    )
  ).body.items;

test("a passkey is added, used, named and taken away", async () => {
  await using hub = await testHub();
  const ada = await adaAt(hub);
  const { authenticator, code } = await added(ada);
  expect(code).toBe("ok");
  const { browser, code: entered } = await signedIn(hub, authenticator);
  expect(entered).toBe("ok");
  expect(await browser.must("GET", "/api/v1/me")).toMatchObject({
    name: "Ada",
    session: { kind: "passkey" },
  });
  const { passkeys } = await browser.must<{ passkeys: { id: string; lastUsedAt: string | null }[] }>(
    "GET",
    "/api/v1/me/factors",
  );
  expect(passkeys).toHaveLength(1);
  expect(passkeys[0]!.lastUsedAt).not.toBeNull();
  await browser.must("PUT", `${ADD}/${passkeys[0]!.id}`, { name: "The old phone" });
  await browser.must("DELETE", `${ADD}/${passkeys[0]!.id}`);
  expect((await signedIn(hub, authenticator)).code).toBe("passkey.refused");
});

test("a password goes where a passkey stays, and one's other sessions with it", async () => {
  await using hub = await testHub();
  const ada = await adaAt(hub);
  const PASSWORD_OF_ME = "/api/v1/me/password";
  expect(await ada.codeOf("DELETE", PASSWORD_OF_ME)).toBe("auth.lastFactor");
  const { authenticator } = await added(ada);
  const other = new Browser(hub);
  expect((await other.signIn(ADA.email, ADA.password)).status).toBe(200);
  expect(await ada.codeOf("DELETE", PASSWORD_OF_ME)).toBe("ok");
  expect((await other.ask("GET", "/api/v1/me")).status).toBe(401);
  expect((await other.signIn(ADA.email, ADA.password)).status).toBe(401);
  expect(await ada.codeOf("DELETE", PASSWORD_OF_ME)).toBe("entity.missing");
  expect((await signedIn(hub, authenticator)).code).toBe("ok");
});

test("S19: a passkey of another origin or domain, or without its person's finger, is refused and audited", async () => {
  await using hub = await testHub();
  const ada = await adaAt(hub);
  const { authenticator } = await added(ada);
  const tries: Tampering[] = [
    { origin: "https://evil.example" },
    { origin: "http://localhost:8081" },
    { rpId: "evil.example" },
    { verified: false },
    { challenge: "bm90IHRoZSBodWIncyBjaGFsbGVuZ2U" },
  ];
  for (const tampering of tries) {
    const { browser, code } = await signedIn(hub, authenticator, tampering);
    expect([tampering, code]).toEqual([tampering, "passkey.refused"]);
    expect((await browser.ask("GET", "/api/v1/me")).status).toBe(401);
    expect([tampering, (await added(ada, tampering)).code]).toEqual([tampering, "passkey.refused"]);
  }
  expect((await signedIn(hub, new Authenticator())).code).toBe("passkey.refused");
  expect((await refusals(hub)).length).toBeGreaterThan(0);
  expect((await signedIn(hub, authenticator)).code).toBe("ok");
});

test("S19: a challenge is good once, and in the browser it was given to", async () => {
  await using hub = await testHub();
  const ada = await adaAt(hub);
  const { authenticator } = await added(ada);
  const browser = new Browser(hub);
  const options = await browser.must("POST", `${SIGN_IN}/options`);
  const held = browser.cookie;
  const credential = authenticator.get(options);
  expect(await browser.codeOf("POST", SIGN_IN, { credential })).toBe("ok");
  const replay = new Browser(hub);
  const [name = "", value = ""] = held.split("=", 2);
  replay.cookies.set(name, value);
  expect(await replay.codeOf("POST", SIGN_IN, { credential })).toBe("passkey.refused");
  expect(await new Browser(hub).codeOf("POST", SIGN_IN, { credential })).toBe("passkey.refused");
  const other = new Browser(hub);
  await other.must("POST", `${SIGN_IN}/options`);
  expect(await other.codeOf("POST", SIGN_IN, { credential })).toBe("passkey.refused");
});

test("S12: whose account is under attack gets in by passkey", async () => {
  await using hub = await testHub();
  const { authenticator } = await added(await adaAt(hub));
  const stranger = new Browser(hub);
  const answers = new Map<number, number>();
  for (let i = 0; i < 1_000; i++) {
    const { status } = await stranger.signIn(ADA.email, `guess ${i} guess guess`);
    answers.set(status, (answers.get(status) ?? 0) + 1);
  }
  expect([...answers.keys()].sort()).toEqual([401, 429]);
  expect(answers.get(401)).toBeLessThanOrEqual(20);
  expect((await stranger.signIn(ADA.email, ADA.password)).status).toBe(429);
  expect((await signedIn(hub, authenticator)).code).toBe("ok");
});

test("S12: whoever asks for challenges without end is told to wait, and keeps nobody else from a passkey", async () => {
  await using hub = await testHub();
  const ada = await adaAt(hub);
  const { authenticator } = await added(ada);
  const asked = await Promise.all(
    Array.from({ length: 260 }, () => new Browser(hub).codeOf("POST", `${SIGN_IN}/options/`)),
  );
  expect(new Set(asked)).toEqual(new Set(["ok", "request.tooMany"]));
  // As many as from a crowd of addresses.
  await hub.database.sql`INSERT INTO ticket SELECT sha256(n::text::bytea), 'passkeySignIn', NULL, 'x', 5,
    now() + interval '299 s' FROM generate_series(1, ${TICKET.ofKindMax}) AS n`;
  const options = await askForPasskey(hub.people, "passkeySignIn");
  const [counted] = await hub.database.sql`SELECT count(*)::int AS n FROM ticket`;
  expect(counted.n).toBe(TICKET.ofKindMax);
  const browser = new Browser(hub);
  browser.take(new Headers({ "set-cookie": options.cookie }));
  const credential = authenticator.get({ ...options.options });
  expect(await browser.codeOf("POST", SIGN_IN, { credential })).toBe("ok");
});
