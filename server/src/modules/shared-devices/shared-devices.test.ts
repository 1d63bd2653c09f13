import { expect, test } from "bun:test";
import { adaAt, Browser, joined, PASSWORD, placeAt } from "../../../test/browser.ts";
import { type TestHub, testHub } from "../../../test/hub.ts";

const DEVICES = "/api/v1/shared-devices";
const PIN = "283746";
const BY_PIN = "/api/v1/sign-in/pin";

/** A tablet of Hall 1 and two people who may use it. */
async function tabletAt(hub: TestHub) {
  const ada = await adaAt(hub);
  const hall = await placeAt(ada, "Hall 1");
  const other = await placeAt(ada, "Hall 2");
  const grace = await joined(ada, "Grace", [{ role: "operator", siteId: hall }]);
  const barbara = await joined(ada, "Barbara", [{ role: "administrator", siteId: null }]);
  await grace.must("PUT", "/api/v1/me/pin", { pin: PIN });
  await barbara.must("PUT", "/api/v1/me/pin", { pin: "918273" });
  const tablet = new Browser(hub);
  await tablet.signIn("ada@plant.example", "a long plant password");
  const { id } = await tablet.must<{ id: string }>("POST", DEVICES, { name: "Tablet line 3", siteId: hall });
  return { ada, tablet, hall, other, grace, barbara, id };
}

test("on a shared tablet people switch by PIN, and may do there what is not administration", async () => {
  await using hub = await testHub();
  const { tablet, hall, other, grace, barbara } = await tabletAt(hub);
  const ways = await tablet.must<{ shared: { people: { name: string }[] } }>("GET", "/api/v1/sign-in");
  expect(ways.shared.people.map(({ name }) => name)).toEqual(["Barbara", "Grace"]);
  expect(await tablet.codeOf("POST", BY_PIN, { personId: grace.id, pin: PIN })).toBe("ok");
  expect(await tablet.must("GET", "/api/v1/me")).toMatchObject({
    name: "Grace",
    session: { kind: "pin", freshUntil: null, idleS: 900 },
  });
  const before = tablet.cookie;
  expect(await tablet.codeOf("POST", BY_PIN, { personId: barbara.id, pin: "918273" })).toBe("ok");
  expect((await hub.ask("/api/v1/me", { headers: { cookie: before } })).status).toBe(401);
  const me = await tablet.must<{ permissions: string[]; reach: Record<string, unknown> }>(
    "GET",
    "/api/v1/me",
  );
  for (const permission of ["person.edit", "system.edit", "plant.edit"])
    expect(me.permissions).not.toContain(permission);
  expect(me.reach["sample.read"]).toEqual(["Hall 1"]);
  for (const siteId of [hall, other])
    expect(await tablet.codeOf("POST", "/api/v1/sites", { name: "X", kind: "line", parentId: siteId })).toBe(
      "auth.forbidden",
    );
});

test("a PIN opens nothing elsewhere, never becomes more, and is locked after five wrong ones", async () => {
  await using hub = await testHub();
  const { tablet, grace } = await tabletAt(hub);
  expect(await new Browser(hub).codeOf("POST", BY_PIN, { personId: grace.id, pin: PIN })).toBe(
    "auth.deviceNotShared",
  );
  await tablet.must("POST", BY_PIN, { personId: grace.id, pin: PIN });
  expect(await tablet.codeOf("POST", "/api/v1/me/step-up/password", { password: PASSWORD })).toBe(
    "auth.forbidden",
  );
  for (const [method, path, body] of [
    ["PUT", "/api/v1/me/pin", { pin: "111222" }],
    ["PUT", "/api/v1/me/password", { newPassword: "yet another long one" }],
    ["POST", "/api/v1/me/totp", undefined],
    ["POST", "/api/v1/me/passkeys/options", undefined],
  ] as const)
    expect([path, await tablet.codeOf(method, path, body)]).toEqual([
      path,
      path.endsWith("password") ? "auth.forbidden" : "auth.fresh",
    ]);
  const codes = [];
  for (let i = 0; i < 7; i++)
    codes.push(await tablet.codeOf("POST", BY_PIN, { personId: grace.id, pin: `99999${i}` }));
  expect(codes).toEqual([...Array(5).fill("auth.refused"), "auth.pinLocked", "auth.pinLocked"]);
  expect(await tablet.codeOf("POST", BY_PIN, { personId: grace.id, pin: PIN })).toBe("auth.pinLocked");
  // The password opens it again.
  expect((await tablet.signIn(grace.email, PASSWORD)).status).toBe(200);
  expect(await tablet.codeOf("POST", BY_PIN, { personId: grace.id, pin: PIN })).toBe("ok");
});

test("a shared tablet ends the session of who left, and screens that ask by themselves keep nobody", async () => {
  await using hub = await testHub();
  const { tablet, grace } = await tabletAt(hub);
  await tablet.must("POST", BY_PIN, { personId: grace.id, pin: PIN });
  const away = (minutes: number) =>
    hub.database
      .sql`UPDATE session SET last_seen_at = now() - ${minutes} * interval '1 minute' WHERE kind = 'pin'`;
  await away(14);
  expect(await tablet.codeOf("GET", "/api/v1/gateways")).toBe("ok");
  await away(16);
  expect(await tablet.codeOf("GET", "/api/v1/gateways")).toBe("auth.required");
});

test("a removed tablet is one no more, and its sessions end", async () => {
  await using hub = await testHub();
  const { ada, tablet, grace, id, hall } = await tabletAt(hub);
  await tablet.must("POST", BY_PIN, { personId: grace.id, pin: PIN });
  // A place with a tablet is in use; it is no fault of the hub.
  expect(await ada.codeOf("DELETE", `/api/v1/sites/${hall}`)).toMatch(/^(entity|request)\./);
  await ada.must("DELETE", `${DEVICES}/${id}`);
  expect(await tablet.codeOf("GET", "/api/v1/gateways")).toBe("auth.required");
  expect(await tablet.codeOf("POST", BY_PIN, { personId: grace.id, pin: PIN })).toBe("auth.deviceNotShared");
});

test("simple PINs are refused", async () => {
  await using hub = await testHub();
  const ada = await adaAt(hub);
  for (const pin of ["12345", "abcdef", "1234567890123"])
    expect(await ada.codeOf("PUT", "/api/v1/me/pin", { pin })).toBe("request.invalid");
  for (const pin of ["111111", "123456", "987654"])
    expect([pin, await ada.codeOf("PUT", "/api/v1/me/pin", { pin })]).toEqual([pin, "request.invalid"]);
});
