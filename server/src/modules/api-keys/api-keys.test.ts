import { expect, test } from "bun:test";
import { LIVE_PATH } from "@millrace/contract/wire/live";
import { adaAt, Browser, joined, placeAt } from "../../../test/browser.ts";
import { type TestHub, testHub } from "../../../test/hub.ts";
import { RawSocket } from "../../../test/raw-socket.ts";

const KEYS = "/api/v1/api-keys";
const viewer = [{ role: "viewer", siteId: null }];

const withKey = async (hub: TestHub, key: string, path = "/api/v1/gateways", method = "GET") => {
  const headers = { authorization: `Bearer ${key}` };
  return (await hub.ask(path, { method, headers })).status;
};

const newKey = (browser: Browser, body: object) =>
  browser.must<{ id: string; key: string; link: string | null }>("POST", KEYS, body);

test("S18: nobody without a session makes a key, for whomever they say", async () => {
  await using hub = await testHub();
  const ada = await adaAt(hub);
  const { id } = await ada.must<{ id: string }>("GET", "/api/v1/me");
  const stranger = new Browser(hub);
  const body = { name: "mine", kind: "apiKey", grants: viewer, userId: id, personId: id, createdBy: id };
  expect((await stranger.ask("POST", KEYS, body)).status).toBe(401);
  for (const path of ["/api/auth/api-key/create", "/api/auth/api-key/verify", "/api/auth/sign-up/email"])
    expect((await stranger.ask("POST", path, body)).status).toBe(404);
  const { items } = await ada.must<{ items: { name: string }[] }>("GET", KEYS);
  expect(items.map(({ name }) => name)).toEqual(["MILLRACE_ADMIN_API_KEY"]);
});

test("S18: nobody gives a key more than they hold, and it is theirs in the audit", async () => {
  await using hub = await testHub();
  const ada = await adaAt(hub);
  const [hall, other] = [await placeAt(ada, "Hall 1"), await placeAt(ada, "Hall 2")];
  await ada.must("POST", "/api/v1/roles", {
    name: "foreman",
    description: "Looks, and cares for people",
    permissions: ["plant.read", "gateway.read", "sample.read", "person.read", "person.edit"],
  });
  const grace = await joined(ada, "Grace", [{ role: "foreman", siteId: hall }]);
  const tries: [object[], string][] = [
    [[{ role: "viewer", siteId: hall }], "ok"],
    [[{ role: "viewer", siteId: other }], "auth.forbidden"],
    [[{ role: "viewer", siteId: null }], "auth.forbidden"],
    [[{ role: "engineer", siteId: hall }], "auth.forbidden"],
    [[], "request.invalid"],
  ];
  for (const [grants, code] of tries)
    expect([grants, await grace.codeOf("POST", KEYS, { name: "k", kind: "apiKey", grants })]).toEqual([
      grants,
      code,
    ]);
  const { items } = await grace.must<{ items: { by: string; name: string }[] }>("GET", KEYS);
  expect(items).toMatchObject([{ name: "k", by: "Grace" }]);
});

test("a key has an end, is shown once and is kept as a hash", async () => {
  await using hub = await testHub();
  const ada = await adaAt(hub);
  const soon = new Date(Date.now() + 60_000).toISOString();
  const { key, id } = await newKey(ada, { name: "report", kind: "apiKey", grants: viewer, expiresAt: soon });
  expect(await withKey(hub, key)).toBe(200);
  expect(JSON.stringify(await ada.must("GET", KEYS))).not.toContain(key);
  const rows = await hub.database.sql`SELECT * FROM api_key`;
  expect(JSON.stringify(rows)).not.toContain(key);
  await hub.database.sql`UPDATE api_key SET expires_at = now() - interval '1 second' WHERE id = ${id}`;
  expect(await withKey(hub, key)).toBe(401);
  for (const expiresAt of ["2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"])
    expect(await ada.codeOf("POST", KEYS, { name: "k", kind: "apiKey", grants: viewer, expiresAt })).toBe(
      "request.invalid",
    );
  const standard = await newKey(ada, { name: "standard", kind: "apiKey", grants: viewer });
  const { items } = await ada.must<{ items: { id: string; expiresAt: string }[] }>("GET", KEYS);
  const days = (Date.parse(items.find((one) => one.id === standard.id)!.expiresAt) - Date.now()) / 86_400_000;
  expect(Math.round(days)).toBe(365);
});

test("S42: a revoked key is refused at every door, and its open socket ends", async () => {
  await using hub = await testHub();
  const port = hub.listen();
  const ada = await adaAt(hub);
  const { id, key } = await newKey(ada, {
    name: "screen",
    kind: "apiKey",
    grants: [{ role: "administrator", siteId: null }],
  });
  const headers = { authorization: `Bearer ${key}` };
  const doors = [
    "/api/v1/gateways",
    "/api/v1/config",
    "/api/v1/audit/export",
    "/api/v1/sbom",
    "/metrics",
    "/api/v1/system",
  ];
  const known = await Promise.all(doors.map((path) => withKey(hub, key, path)));
  using socket = new RawSocket(port);
  expect((await socket.upgrade(LIVE_PATH, headers)).status).toBe(101);
  await ada.must("DELETE", `${KEYS}/${id}`);
  expect(known).not.toContain(401);
  for (const path of doors)
    expect([path, [401, 404].includes(await withKey(hub, key, path))]).toEqual([path, true]);
  using late = new RawSocket(port);
  expect((await late.upgrade(LIVE_PATH, headers)).status).toBe(401);
  expect(await socket.closeCode()).toBe(4401);
  // Twice is no mistake.
  expect(await ada.codeOf("DELETE", `${KEYS}/${id}`)).toBe("ok");
});

test("a kiosk looks through its cookie alone, and only looks", async () => {
  await using hub = await testHub();
  const ada = await adaAt(hub);
  const hall = await placeAt(ada, "Hall 1");
  const grants = [{ role: "viewer", siteId: hall }];
  expect(
    await ada.codeOf("POST", KEYS, {
      name: "wall",
      kind: "kiosk",
      grants: [{ role: "operator", siteId: hall }],
    }),
  ).toBe("request.invalid");
  const { id, key, link } = await newKey(ada, { name: "wall", kind: "kiosk", grants });
  expect(link).toEndWith(`/kiosk#token=${key}`);
  expect(await withKey(hub, key)).toBe(401);
  const wall = new Browser(hub);
  expect(await wall.codeOf("POST", "/api/v1/sign-in/kiosk", { token: "x".repeat(43) })).toBe("auth.refused");
  expect(await wall.codeOf("POST", "/api/v1/sign-in/kiosk", { token: key })).toBe("ok");
  expect(await wall.must("GET", "/api/v1/me")).toMatchObject({ kind: "kiosk", session: null });
  expect(await wall.codeOf("GET", "/api/v1/gateways")).toBe("ok");
  for (const [method, path] of [
    ["GET", "/api/v1/audit"],
    ["GET", "/api/v1/people"],
    ["POST", "/api/v1/sites"],
    ["POST", "/api/v1/me/totp"],
    ["PUT", "/api/v1/me/password"],
    ["POST", "/api/v1/me/passkeys/options"],
  ] as const) {
    const code = await wall.codeOf(method, path, method === "GET" ? undefined : {});
    expect([path, ["auth.forbidden", "request.invalid"].includes(code)]).toEqual([path, true]);
  }
  await ada.must("DELETE", `${KEYS}/${id}`);
  expect(await wall.codeOf("GET", "/api/v1/gateways")).toBe("auth.required");
});
