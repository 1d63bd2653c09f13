import { expect, test } from "bun:test";
import { adaAt, Browser, joined, PASSWORD, placeAt } from "../../../test/browser.ts";
import { ADA, testHub } from "../../../test/hub.ts";

const PEOPLE = "/api/v1/people";

interface Shown {
  id: string;
  name: string;
  revision: number;
  grants: { role: string; siteId: string | null }[];
}

const match = (revision: number) => ({ "if-match": `"${revision}"` });

test("S23: a role or a place smuggled into an edit changes nothing", async () => {
  await using hub = await testHub();
  const ada = await adaAt(hub);
  const hall = await placeAt(ada, "Hall 1");
  const grace = await joined(ada, "Grace", [{ role: "engineer", siteId: hall }]);
  const before = await ada.must<Shown>("GET", `${PEOPLE}/${grace.id}`);
  const more = {
    role: "admin",
    siteId: null,
    grants: [{ role: "administrator", siteId: null }],
    isAdmin: true,
  };
  const own: [string, string, object][] = [
    [
      "PUT",
      "/api/v1/me/password",
      { currentPassword: PASSWORD, newPassword: "a third long password", ...more },
    ],
    ["PUT", "/api/v1/me/pin", { pin: "283746", ...more }],
    ["PUT", `${PEOPLE}/${grace.id}`, { name: "Grace", ...more }],
    ["POST", "/api/v1/me/activity", more],
    ["POST", "/api/v1/sign-in/password", { email: grace.email, password: "a third long password", ...more }],
    ["POST", "/api/v1/sites", { name: "Line 1", kind: "line", parentId: hall, ...more }],
  ];
  for (const [method, path, body] of own) await grace.ask(method, path, body, match(before.revision));
  const after = await ada.must<Shown>("GET", `${PEOPLE}/${grace.id}`);
  expect(after.grants).toEqual(before.grants);
  expect(await grace.must("GET", "/api/v1/me")).toMatchObject({
    grants: [{ role: "engineer", siteId: hall }],
  });
});

test("S23: who cares for people of one place gives nothing beyond it, and touches nobody who may more", async () => {
  await using hub = await testHub();
  const ada = await adaAt(hub);
  const hall = await placeAt(ada, "Hall 1");
  const permissions = ["plant.read", "gateway.read", "sample.read", "person.read", "person.edit"];
  await ada.must("POST", "/api/v1/roles", { name: "foreman", description: "", permissions });
  const foreman = await joined(ada, "Grace", [{ role: "foreman", siteId: hall }]);
  const worker = await joined(ada, "Linus", [{ role: "viewer", siteId: hall }]);
  const engineer = await joined(ada, "Edsger", [{ role: "engineer", siteId: hall }]);
  const foreign = await joined(ada, "Barbara", [{ role: "viewer", siteId: null }]);
  const edit = (id: string, grants: object[], revision = 1) =>
    foreman.ask<{ code?: string }>("PUT", `${PEOPLE}/${id}`, { name: "X", grants }, match(revision));
  expect((await edit(worker.id, [{ role: "administrator", siteId: null }])).body.code).toBe("auth.forbidden");
  expect((await edit(worker.id, [{ role: "operator", siteId: hall }])).body.code).toBe("auth.forbidden");
  expect((await edit(engineer.id, [{ role: "viewer", siteId: hall }])).body.code).toBe("auth.forbidden");
  expect((await edit(foreign.id, [{ role: "viewer", siteId: hall }])).status).toBe(404);
  for (const way of ["disable", "unlock"])
    expect(await foreman.codeOf("POST", `${PEOPLE}/${engineer.id}/${way}`)).toBe("auth.forbidden");
  const reset = { removeFactors: true };
  expect(await foreman.codeOf("POST", `${PEOPLE}/${engineer.id}/reset-link`, reset)).toBe("auth.forbidden");
  expect(await foreman.codeOf("POST", `${PEOPLE}/${worker.id}/reset-link`, reset)).toBe("ok");
  const listed = await foreman.must<{ items: Shown[] }>("GET", PEOPLE);
  expect(listed.items.map(({ name }) => name).sort()).toEqual(["Edsger", "Grace", "Linus"]);
  expect(await foreman.codeOf("POST", "/api/v1/roles", { name: "r", description: "", permissions })).toBe(
    "auth.forbidden",
  );
});

test("the last administrator stays, whoever tries", async () => {
  await using hub = await testHub();
  const ada = await adaAt(hub);
  const me = await ada.must<{ id: string }>("GET", "/api/v1/me");
  const { revision } = await ada.must<Shown>("GET", `${PEOPLE}/${me.id}`);
  const grants = [{ role: "viewer", siteId: null }];
  expect(
    (await ada.ask("PUT", `${PEOPLE}/${me.id}`, { name: "Ada", grants }, match(revision))).body,
  ).toMatchObject({
    code: "auth.lastAdministrator",
  });
  expect(await ada.codeOf("POST", `${PEOPLE}/${me.id}/disable`)).toBe("auth.lastAdministrator");
  expect(await ada.codeOf("DELETE", `${PEOPLE}/${me.id}`)).toBe("auth.lastAdministrator");
  expect(await ada.must("GET", "/api/v1/me")).toMatchObject({ name: "Ada" });
});

test("who showed themselves too long ago does so again before people are changed", async () => {
  await using hub = await testHub();
  const ada = await adaAt(hub);
  await hub.database.sql`UPDATE session SET fresh_at = now() - interval '11 minutes'`;
  const invitation = {
    name: "Grace",
    email: "grace@plant.example",
    grants: [{ role: "viewer", siteId: null }],
  };
  expect(await ada.codeOf("POST", "/api/v1/invitations", invitation)).toBe("auth.fresh");
  const again = "/api/v1/me/step-up/password";
  expect(await ada.codeOf("POST", again, { password: "not the password" })).toBe("auth.refused");
  expect(await ada.codeOf("POST", again, { password: ADA.password })).toBe("ok");
  expect(await ada.codeOf("POST", "/api/v1/invitations", invitation)).toBe("ok");
});

test("a disabled person is back with the same roles when enabled", async () => {
  await using hub = await testHub();
  const ada = await adaAt(hub);
  const grace = await joined(ada, "Grace", [{ role: "viewer", siteId: null }]);
  await ada.must("POST", `${PEOPLE}/${grace.id}/disable`);
  expect((await new Browser(hub).signIn(grace.email, PASSWORD)).status).toBe(401);
  await ada.must("POST", `${PEOPLE}/${grace.id}/enable`);
  expect((await new Browser(hub).signIn(grace.email, PASSWORD)).status).toBe(200);
});

test("a custom role is kept while somebody has it, and its change counts at once", async () => {
  await using hub = await testHub();
  const ada = await adaAt(hub);
  const role = { description: "Night shift", permissions: ["plant.read", "gateway.read"] };
  await ada.must("POST", "/api/v1/roles", { name: "night", ...role });
  const grace = await joined(ada, "Grace", [{ role: "night", siteId: null }]);
  expect(await grace.codeOf("GET", "/api/v1/gateways")).toBe("ok");
  expect(await ada.codeOf("DELETE", "/api/v1/roles/night")).toBe("entity.inUse");
  await ada.must("PUT", "/api/v1/roles/night", { description: "", permissions: ["plant.read"] }, match(1));
  expect(await grace.codeOf("GET", "/api/v1/gateways")).toBe("auth.forbidden");
  for (const name of ["administrator", "viewer"])
    expect(await ada.codeOf("POST", "/api/v1/roles", { name, ...role })).toBe("entity.conflict");
  await ada.must("DELETE", `${PEOPLE}/${grace.id}`);
  expect(await ada.codeOf("DELETE", "/api/v1/roles/night")).toBe("ok");
});

test("whoever is locked out is shown so, with until when, and is let in again", async () => {
  await using hub = await testHub();
  const ada = await adaAt(hub);
  const grace = await joined(ada, "Grace", [{ role: "viewer", siteId: null }]);
  type Locked = { name: string; lockedUntil: string | null };
  const locked = async () =>
    (await ada.must<{ items: Locked[] }>("GET", PEOPLE)).items.filter(
      ({ lockedUntil }) => lockedUntil !== null,
    );
  expect(await locked()).toEqual([]);
  const stranger = new Browser(hub);
  let last = 0;
  for (let i = 0; i < 30 && last !== 429; i++)
    last = (await stranger.signIn(grace.email, `guess ${i} guess guess`)).status;
  expect(last).toBe(429);
  const [found, ...others] = await locked();
  expect([found?.name, others]).toEqual(["Grace", []]);
  expect(Date.parse(found!.lockedUntil!)).toBeGreaterThan(Date.now());
  await ada.must("POST", `${PEOPLE}/${grace.id}/unlock`);
  expect(await locked()).toEqual([]);
  expect((await new Browser(hub).signIn(grace.email, PASSWORD)).status).toBe(200);
});
