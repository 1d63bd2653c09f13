import { expect, test } from "bun:test";
import { adaAt, Browser, joined, placeAt } from "../../../test/browser.ts";
import { ORIGIN, type TestHub, type TestHubOptions, testHub } from "../../../test/hub.ts";
import { OIDC_CLIENT, type OidcPeer, type OidcPerson, oidcPeer } from "../../../test/oidc-peer.ts";
import { parseRoleRules } from "./role-map.ts";
import { SSO_CALLBACK } from "./routes.ts";

const LOGIN = "grace";
const GRACE: OidcPerson = {
  sub: LOGIN,
  email: "grace@plant.example",
  email_verified: true,
  name: "Grace",
  groups: ["operators"],
};

const peerFor = async (person: Partial<OidcPerson> = {}): Promise<OidcPeer> => {
  const peer = await oidcPeer(`${ORIGIN}${SSO_CALLBACK}`);
  peer.people.set(LOGIN, { ...GRACE, ...person });
  return peer;
};

const hubAt = (peer: OidcPeer, more: Partial<TestHubOptions["sso"]> = {}): Promise<TestHub> =>
  testHub({
    sso: {
      issuer: peer.issuer,
      ...OIDC_CLIENT,
      name: "Plant directory",
      groupsClaim: "groups",
      rules: parseRoleRules("operators=operator@Hall 1; bosses=administrator"),
      create: true,
      ...more,
    },
  });

interface Back {
  location: string;
  status: number;
  url: URL;
}

/** From the button to the hub's own page again. */
async function throughProvider(browser: Browser, peer: OidcPeer, change = (url: URL) => url): Promise<Back> {
  const { url } = await browser.must<{ url: string }>("POST", "/api/v1/sign-in/sso", {});
  const back = change(await peer.signIn(url, LOGIN));
  const response = await browser.hub.ask(back.pathname + back.search, {
    headers: { cookie: browser.cookie },
  });
  browser.take(response.headers);
  return { location: response.headers.get("location") ?? "", status: response.status, url: back };
}

test("single sign-on lets in who the provider knows, with the roles of their groups", async () => {
  await using peer = await peerFor();
  await using hub = await hubAt(peer);
  const ada = await adaAt(hub);
  const hall = await placeAt(ada, "Hall 1");
  const grace = new Browser(hub);
  expect(await grace.must("GET", "/api/v1/sign-in")).toMatchObject({ sso: { name: "Plant directory" } });
  expect(await throughProvider(grace, peer)).toMatchObject({ status: 302, location: "/" });
  expect(await grace.must("GET", "/api/v1/me")).toMatchObject({
    name: "Grace",
    email: GRACE.email,
    session: { kind: "sso" },
    grants: [{ role: "operator", siteId: hall, path: "Hall 1" }],
  });
  // Groups are what they are today.
  peer.people.set(LOGIN, { ...GRACE, groups: [] });
  await throughProvider(grace, peer);
  expect(await grace.must("GET", "/api/v1/me")).toMatchObject({ grants: [] });
  const stored = await hub.database.sql`SELECT * FROM account WHERE provider_id = 'sso'`;
  expect(stored).toHaveLength(1);
  for (const column of ["access_token", "refresh_token", "id_token"]) expect(stored[0][column]).toBeNull();
  const { body } = await hub.call<{ items: { action: string; who: string }[] }>(
    "GET",
    "/api/v1/audit?who=hub:sso",
  );
  expect(body.items.map(({ action }) => action).sort()).toEqual(["person.create", "person.edit"]);
});

test("somebody invited before is the same person, their own roles stay, and being disabled counts", async () => {
  await using peer = await peerFor();
  await using hub = await hubAt(peer);
  const ada = await adaAt(hub);
  const invited = await joined(ada, "Grace", [{ role: "auditor", siteId: null }]);
  await placeAt(ada, "Hall 1");
  const browser = new Browser(hub);
  await throughProvider(browser, peer);
  const me = await browser.must<{ id: string; grants: { role: string }[] }>("GET", "/api/v1/me");
  expect(me.id).toBe(invited.id);
  expect(me.grants.map(({ role }) => role).sort()).toEqual(["auditor", "operator"]);
  await ada.must("POST", `/api/v1/people/${me.id}/disable`);
  const late = new Browser(hub);
  expect((await throughProvider(late, peer)).location).toBe("/sign-in?sso=refused");
  expect((await late.ask("GET", "/api/v1/me")).status).toBe(401);
});

test("an address the provider has not verified is nobody who is here already", async () => {
  await using peer = await peerFor({ email_verified: false });
  await using hub = await hubAt(peer);
  const ada = await adaAt(hub);
  await joined(ada, "Grace", [{ role: "administrator", siteId: null }]);
  const browser = new Browser(hub);
  expect((await throughProvider(browser, peer)).location).toBe("/sign-in?sso=refused");
  expect((await browser.ask("GET", "/api/v1/me")).status).toBe(401);
  const { body } = await hub.call<{ items: unknown[] }>("GET", "/api/v1/audit?action=sso.refused");
  expect(body.items).toHaveLength(1);
});

test("where only the invited may come, the provider's word alone makes nobody", async () => {
  await using peer = await peerFor();
  await using hub = await hubAt(peer, { create: false });
  const browser = new Browser(hub);
  expect((await throughProvider(browser, peer)).location).toBe("/sign-in?sso=refused");
  const rows = await hub.database.sql`SELECT count(*)::int AS n FROM person`;
  expect(rows[0].n).toBe(0);
});

test("S15: the way back is good in the browser that began, with its own state, once", async () => {
  await using peer = await peerFor();
  await using hub = await hubAt(peer);
  const refused = "/sign-in?sso=refused";
  const wrong = (name: string, value: string) => (url: URL) => {
    url.searchParams.set(name, value);
    return url;
  };
  for (const [name, value] of [
    ["state", "another"],
    ["code", "another"],
  ] as const) {
    const browser = new Browser(hub);
    expect((await throughProvider(browser, peer, wrong(name, value))).location).toBe(refused);
    expect((await browser.ask("GET", "/api/v1/me")).status).toBe(401);
  }
  const begun = new Browser(hub);
  const { url } = await begun.must<{ url: string }>("POST", "/api/v1/sign-in/sso", {});
  const back = await peer.signIn(url, LOGIN);
  const stranger = await hub.ask(back.pathname + back.search);
  expect(stranger.headers.get("location")).toBe(refused);
  const good = new Browser(hub);
  const { url: used } = await throughProvider(good, peer);
  const again = await hub.ask(used.pathname + used.search, { headers: { cookie: good.cookie } });
  expect(again.headers.get("location")).toBe(refused);
});

test("a provider that is away, or calls itself something else, is said so; passwords go on", async () => {
  const peer = await peerFor();
  await using hub = await hubAt(peer, { issuer: `${peer.issuer}/other` });
  const browser = await adaAt(hub);
  expect(await browser.codeOf("POST", "/api/v1/sign-in/sso", {})).toBe("sso.unavailable");
  await peer[Symbol.asyncDispose]();
  expect(await browser.codeOf("POST", "/api/v1/sign-in/sso", {})).toBe("sso.unavailable");
  expect(await browser.codeOf("GET", "/api/v1/me")).toBe("ok");
});
