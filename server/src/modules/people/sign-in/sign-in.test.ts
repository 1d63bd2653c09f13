import { expect, test } from "bun:test";
import { ADA, API_KEY, ORIGIN, post, send, setUpAda, type TestHub, testHub } from "../../../../test/hub.ts";

const signIn = (hub: TestHub, email: string, password: string) =>
  post(hub, "/api/v1/sign-in/password", { email, password });
const cookieOf = (response: Response): string => response.headers.get("set-cookie")?.split(";")[0] ?? "";
const me = (hub: TestHub, cookie: string) => hub.ask("/api/v1/me", { headers: { cookie } });

test("S16: set-up, sign in, be somebody, sign out, be nobody", async () => {
  await using hub = await testHub();
  await setUpAda(hub);
  const response = await signIn(hub, ADA.email, ADA.password);
  expect(response.status).toBe(200);
  const flags = response.headers.get("set-cookie")!.toLowerCase();
  expect(flags).toContain("httponly");
  expect(flags).toMatch(/samesite=(lax|strict)/);
  expect(flags).toContain("path=/");
  const cookie = cookieOf(response);
  const known = await me(hub, cookie);
  expect(known.status).toBe(200);
  expect(await known.json()).toMatchObject({
    name: "Ada",
    grants: [{ role: "administrator", siteId: null, path: null }],
  });
  expect((await post(hub, "/api/v1/sign-out", {}, cookie)).status).toBe(200);
  expect((await me(hub, cookie)).status).toBe(401);
});

test("S14: a wrong password and an unknown person get the same words", async () => {
  await using hub = await testHub();
  await setUpAda(hub);
  const answers = [];
  for (const [email, password] of [
    [ADA.email, "wrong password"],
    ["nobody@plant.example", ADA.password],
  ] as const) {
    const response = await signIn(hub, email, password);
    const { traceId: _, ...problem } = (await response.json()) as Record<string, unknown>;
    answers.push({ status: response.status, ...problem });
  }
  expect(answers[0]).toMatchObject({ status: 401, code: "auth.refused" });
  expect(answers[1]).toEqual(answers[0]!);
});

test("S21: no account exists until one is made", async () => {
  await using hub = await testHub();
  const tries = [
    ["admin@admin.com", "admin"],
    ["admin@plant.example", "1111"],
    ["root@localhost.local", ""],
  ] as const;
  for (const [email, password] of tries) expect((await signIn(hub, email, password)).status).not.toBe(200);
  const people = await hub.database.sql`SELECT count(*)::int AS n FROM person`;
  expect(people[0].n).toBe(0);
  expect(await (await hub.ask("/api/v1/setup")).json()).toEqual({ needed: true });
});

test("S21: the set-up takes the printed token, once", async () => {
  await using hub = await testHub();
  const link = await hub.setup.openLink(ORIGIN);
  const wrong = await post(hub, "/api/v1/setup", { token: "x".repeat(32), ...ADA });
  expect([wrong.status, ((await wrong.json()) as { code: string }).code]).toEqual([403, "setup.tokenWrong"]);
  const token = link!.split("#token=")[1]!;
  const unusable = await post(hub, "/api/v1/setup", { token, ...ADA, email: "ada@plant" });
  expect(unusable.status).toBe(422);
  const both = await Promise.all([1, 2].map(() => post(hub, "/api/v1/setup", { token, ...ADA })));
  expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
});

test("S12: guessing is slowed for one account and not for the others", async () => {
  await using hub = await testHub();
  await setUpAda(hub);
  const codes = [];
  for (let i = 0; i < 7; i++)
    codes.push((await signIn(hub, "victim@plant.example", `guess ${i} guess`)).status);
  expect(codes.slice(0, 5)).toEqual([401, 401, 401, 401, 401]);
  expect(codes).toContain(429);
  expect((await signIn(hub, ADA.email, ADA.password)).status).toBe(200);
});

test("S38: a password in the wrong form is never repeated", async () => {
  await using hub = await testHub();
  for (const password of [{ secret: "hunter2" }, ["hunter2"], 4711]) {
    const response = await signIn(hub, ADA.email, password as unknown as string);
    expect(response.status).toBe(422);
    expect(await response.text()).not.toMatch(/hunter2|4711/);
  }
});

test("an API key lets in; a wrong one does not, and never falls back to a cookie", async () => {
  await using hub = await testHub();
  await setUpAda(hub);
  const cookie = cookieOf(await signIn(hub, ADA.email, ADA.password));
  const ask = (headers: Record<string, string>) => hub.ask("/api/v1/gateways", { headers });
  expect((await ask({ authorization: `Bearer ${API_KEY}` })).status).toBe(200);
  expect((await ask({ cookie })).status).toBe(200);
  expect((await ask({ authorization: `Bearer ${"x".repeat(40)}`, cookie })).status).toBe(401);
  expect((await ask({})).status).toBe(401);
});

test("set-up and sign-in take the same e-mail addresses", async () => {
  await using hub = await testHub();
  const link = await hub.setup.openLink(ORIGIN);
  const token = link!.split("#token=")[1]!;
  for (const email of [
    "a@b.c",
    "ada@plant",
    "ada..l@plant.example",
    ".ada@plant.example",
    " ada@plant.example",
    "ada",
  ]) {
    expect([email, (await post(hub, "/api/v1/setup", { token, ...ADA, email })).status]).toEqual([
      email,
      422,
    ]);
    expect([email, (await signIn(hub, email, ADA.password)).status]).toEqual([email, 422]);
  }
  const email = "Ada.L+plant_1@line-2.plant.example";
  expect((await post(hub, "/api/v1/setup", { token, ...ADA, email })).status).toBe(200);
  expect((await signIn(hub, email, ADA.password)).status).toBe(200);
  expect((await signIn(hub, email.toLowerCase(), ADA.password)).status).toBe(200);
});

test("a sign-in leads nowhere else, whatever it asks for", async () => {
  await using hub = await testHub();
  await setUpAda(hub);
  const wanted = { email: ADA.email, password: ADA.password, callbackURL: "https://evil.example/" };
  const response = await post(hub, "/api/v1/sign-in/password", wanted);
  expect(response.headers.get("location")).toBeNull();
  expect(await response.text()).not.toContain("evil.example");
});

test("S16: changing the password asks for the present one and ends what the old one opened", async () => {
  await using hub = await testHub();
  await setUpAda(hub);
  const old = cookieOf(await signIn(hub, ADA.email, ADA.password));
  const cookie = cookieOf(await signIn(hub, ADA.email, ADA.password));
  const newPassword = "another long password";
  const change = (currentPassword: string) =>
    send(hub, "PUT", "/api/v1/me/password", { body: { currentPassword, newPassword }, cookie });
  expect(await (await change("not the password")).json()).toMatchObject({ code: "auth.refused" });
  expect((await change(ADA.password)).status).toBe(200);
  expect((await me(hub, old)).status).toBe(401);
  expect((await signIn(hub, ADA.email, ADA.password)).status).toBe(401);
  expect((await signIn(hub, ADA.email, newPassword)).status).toBe(200);
});
