import { expect, test } from "bun:test";
import { Authenticator } from "../../../test/authenticator.ts";
import { adaAt, Browser, joined, PASSWORD, placeAt } from "../../../test/browser.ts";
import { ADA, ORIGIN, testHub } from "../../../test/hub.ts";
import { rescue } from "../people/rescue.ts";

const INVITATIONS = "/api/v1/invitations";
const BY_PASSWORD = `${INVITATIONS}/accept/password`;

const tokenOf = (link: string): string => link.split("#token=")[1] ?? "";

async function invited(ada: Browser, name: string, more: object = {}) {
  const email = `${name.toLowerCase()}@plant.example`;
  const grants = [{ role: "viewer", siteId: null }];
  const { id, link } = await ada.must<{ id: string; link: string }>("POST", INVITATIONS, {
    name,
    email,
    grants,
    ...more,
  });
  expect(link).toStartWith(`${ORIGIN}/invitation#token=`);
  return { id, email, token: tokenOf(link) };
}

test("somebody new is in by passkey: look, make, in", async () => {
  await using hub = await testHub();
  const { token } = await invited(await adaAt(hub), "Grace");
  const browser = new Browser(hub);
  expect(await browser.must("POST", `${INVITATIONS}/look`, { token })).toMatchObject({
    kind: "invite",
    name: "Grace",
    passkey: true,
  });
  const options = await browser.must("POST", `${INVITATIONS}/accept/passkey/options`, { token });
  const credential = new Authenticator().create(options);
  const accept = { token, name: "Grace's phone", credential };
  expect(await browser.must("POST", `${INVITATIONS}/accept/passkey`, accept)).toEqual({ status: "signedIn" });
  expect(await browser.must("GET", "/api/v1/me")).toMatchObject({
    name: "Grace",
    grants: [{ role: "viewer", siteId: null }],
    session: { kind: "passkey" },
  });
  expect(await new Browser(hub).codeOf("POST", `${INVITATIONS}/look`, { token })).toBe("invitation.refused");
});

test("a link works once, also when two come at once, and only in its time", async () => {
  await using hub = await testHub();
  const ada = await adaAt(hub);
  const first = await invited(ada, "Grace");
  const both = await Promise.all(
    [1, 2].map(() =>
      new Browser(hub).codeOf("POST", BY_PASSWORD, { token: first.token, password: PASSWORD }),
    ),
  );
  expect(both.sort()).toEqual(["invitation.refused", "ok"]);
  const late = await invited(ada, "Linus", { hours: 1 });
  await hub.database.sql`UPDATE invitation SET expires_at = now() - interval '1 second'`;
  const accept = { token: late.token, password: PASSWORD };
  expect(await new Browser(hub).codeOf("POST", BY_PASSWORD, accept)).toBe("invitation.refused");
  const taken = await invited(ada, "Edsger");
  await ada.must("DELETE", `${INVITATIONS}/${taken.id}`);
  const again = { token: taken.token, password: PASSWORD };
  expect(await new Browser(hub).codeOf("POST", BY_PASSWORD, again)).toBe("invitation.refused");
  expect(await ada.codeOf("POST", INVITATIONS, { name: "G", email: first.email, grants: [] })).not.toBe("ok");
});

test("a link gives what it said when it was made, and nothing that is gone meanwhile", async () => {
  await using hub = await testHub();
  const ada = await adaAt(hub);
  await ada.must("POST", "/api/v1/roles", { name: "night", description: "", permissions: ["plant.read"] });
  const { token } = await invited(ada, "Grace", { grants: [{ role: "night", siteId: null }] });
  const browser = new Browser(hub);
  const accept = { token, password: PASSWORD, grants: [{ role: "administrator", siteId: null }] };
  await browser.must("POST", BY_PASSWORD, accept);
  expect(await browser.must("GET", "/api/v1/me")).toMatchObject({ permissions: ["plant.read"] });
});

test("a link opens no more than who made it may give on the day it is used", async () => {
  await using hub = await testHub();
  const ada = await adaAt(hub);
  const hall = await placeAt(ada, "Hall 1");
  const give = async (id: string, name: string, grants: object[]) => {
    const { revision } = await ada.must<{ revision: number }>("GET", `/api/v1/people/${id}`);
    await ada.must("PUT", `/api/v1/people/${id}`, { name, grants }, { "if-match": `"${revision}"` });
  };
  const whole = (role: string) => [{ role, siteId: null }];
  const looked = (token: string) => new Browser(hub).codeOf("POST", `${INVITATIONS}/look`, { token });
  const used = async (token: string) => {
    const seen = await looked(token);
    return [seen, await new Browser(hub).codeOf("POST", BY_PASSWORD, { token, password: PASSWORD })];
  };
  const refused = ["invitation.refused", "invitation.refused"];
  const reset = async (by: Browser, id: string) =>
    tokenOf(
      (await by.must<{ link: string }>("POST", `/api/v1/people/${id}/reset-link`, { removeFactors: true }))
        .link,
    );

  const rogue = await joined(ada, "Rogue", whole("administrator"));
  const back = await invited(rogue, "Again", { grants: whole("administrator") });
  await give(rogue.id, "Rogue", whole("viewer"));
  expect(await used(back.token)).toEqual(refused);

  await ada.must("POST", "/api/v1/roles", {
    name: "foreman",
    description: "",
    permissions: ["plant.read", "gateway.read", "sample.read", "person.read", "person.edit"],
  });
  const foreman = await joined(ada, "Foreman", [{ role: "foreman", siteId: hall }]);
  const linus = await joined(ada, "Linus", [{ role: "viewer", siteId: hall }]);
  const stale = await reset(foreman, linus.id);
  expect(await looked(stale)).toBe("ok");
  await give(linus.id, "Linus", whole("administrator"));
  expect(await used(stale)).toEqual(refused);

  const { id, key } = await ada.must<{ id: string; key: string }>("POST", "/api/v1/api-keys", {
    name: "HR",
    kind: "apiKey",
    grants: whole("administrator"),
  });
  const headers = { authorization: `Bearer ${key}` };
  const { link } = await new Browser(hub).must<{ link: string }>(
    "POST",
    INVITATIONS,
    { name: "Mole", email: "mole@plant.example", grants: whole("administrator") },
    headers,
  );
  expect(await looked(tokenOf(link))).toBe("ok");
  await ada.must("DELETE", `/api/v1/api-keys/${id}`);
  expect(await used(tokenOf(link))).toEqual(refused);
});

test("the links somebody made end with them", async () => {
  await using hub = await testHub();
  const ada = await adaAt(hub);
  const grace = await joined(ada, "Grace", [{ role: "administrator", siteId: null }]);
  const { token } = await invited(grace, "Linus");
  await ada.must("POST", `/api/v1/people/${grace.id}/disable`);
  const accept = { token, password: PASSWORD };
  expect(await new Browser(hub).codeOf("POST", BY_PASSWORD, accept)).toBe("invitation.refused");
});

test("a reset link takes all factors when asked to, and ends every session", async () => {
  await using hub = await testHub();
  const ada = await adaAt(hub);
  const hall = await placeAt(ada, "Hall 1");
  const grace = await joined(ada, "Grace", [{ role: "viewer", siteId: hall }]);
  await grace.setUpApp();
  const reset = async (removeFactors: boolean) => {
    const path = `/api/v1/people/${grace.id}/reset-link`;
    const { link } = await ada.must<{ link: string }>("POST", path, { removeFactors });
    const browser = new Browser(hub);
    const accept = { token: tokenOf(link), password: "a quite different password" };
    return await browser.must<{ status: string }>("POST", BY_PASSWORD, accept);
  };
  expect(await reset(false)).toEqual({ status: "secondFactor" });
  expect((await grace.ask("GET", "/api/v1/me")).status).toBe(401);
  expect(await reset(true)).toEqual({ status: "signedIn" });
  expect((await new Browser(hub).signIn(grace.email, PASSWORD)).status).toBe(401);
});

test("guessed links are slowed and in the audit", async () => {
  await using hub = await testHub();
  const codes = new Set<string>();
  const stranger = new Browser(hub);
  for (let i = 0; i < 60; i++)
    codes.add(await stranger.codeOf("POST", `${INVITATIONS}/look`, { token: `${i}${"x".repeat(42)}` }));
  expect([...codes].sort()).toEqual(["invitation.refused", "request.tooMany"]);
  const { body } = await hub.call<{ items: unknown[] }>("GET", "/api/v1/audit?action=invitation.refused");
  expect(body.items).toHaveLength(1);
});

test("whoever is locked out is back in from the console", async () => {
  await using hub = await testHub();
  const ada = await adaAt(hub);
  await ada.setUpApp();
  const link = await rescue(hub.people, ADA.email.toUpperCase());
  const browser = new Browser(hub);
  const accept = { token: tokenOf(link), password: PASSWORD };
  expect(await browser.must("POST", BY_PASSWORD, accept)).toEqual({ status: "signedIn" });
  expect((await ada.ask("GET", "/api/v1/me")).status).toBe(401);
  await expect(rescue(hub.people, "nobody@plant.example")).rejects.toMatchObject({ code: "setting.wrong" });
});
