import { expect, test } from "bun:test";
import { LIVE_PATH } from "@millrace/contract/wire/live";
import { adaAt, Browser, joined, PASSWORD, placeAt } from "../../../../test/browser.ts";
import { ADA, ORIGIN, type TestHub, testHub } from "../../../../test/hub.ts";
import { RawSocket } from "../../../../test/raw-socket.ts";
import { LIVE } from "../../../live/subscriber.ts";

async function liveSocket(browser: Browser, port: number): Promise<RawSocket> {
  const socket = new RawSocket(port);
  const { status } = await socket.upgrade(LIVE_PATH, { cookie: browser.cookie, origin: ORIGIN });
  if (status !== 101) throw new Error(`the socket was refused: ${status}`);
  return socket;
}

test("S15: a session id from before is worth nothing after signing in", async () => {
  await using hub = await testHub();
  const ada = await adaAt(hub);
  const old = new Browser(hub);
  for (const [name, value] of ada.cookies) old.cookies.set(name, value);
  await ada.signIn(ADA.email, ADA.password);
  expect(ada.cookie).not.toBe(old.cookie);
  expect((await ada.ask("GET", "/api/v1/me")).status).toBe(200);
  expect((await old.ask("GET", "/api/v1/me")).status).toBe(401);
  const fixed = new Browser(hub);
  const chosen = `chosen-by-a-stranger-${"x".repeat(20)}`;
  fixed.cookies.set("millrace.session", chosen);
  await fixed.ask("POST", `/api/v1/sign-in/password?millrace.session=${chosen}`, ADA);
  expect(fixed.cookie).not.toContain(chosen);
  expect((await fixed.ask("GET", "/api/v1/me")).status).toBe(200);
  const stranger = new Browser(hub);
  stranger.cookies.set("millrace.session", chosen);
  expect((await stranger.ask("GET", `/api/v1/me?millrace.session=${chosen}`)).status).toBe(401);
});

type End = (ada: Browser, victim: Browser & { id: string; email: string }) => Promise<unknown>;
const ROLE_TAKEN = "a role taken away";
const ENDS: [string, End][] = [
  ["signing out", (_, victim) => victim.must("POST", "/api/v1/sign-out", {})],
  [
    "a new password elsewhere",
    async (ada, { email }) => {
      const other = new Browser(ada.hub);
      await other.signIn(email, PASSWORD);
      await other.must("PUT", "/api/v1/me/password", {
        currentPassword: PASSWORD,
        newPassword: "yet another long password",
      });
    },
  ],
  ["being disabled", (ada, { id }) => ada.must("POST", `/api/v1/people/${id}/disable`)],
  ["being removed", (ada, { id }) => ada.must("DELETE", `/api/v1/people/${id}`)],
  [
    ROLE_TAKEN,
    async (ada, { id }) => {
      const { revision } = await ada.must<{ revision: number }>("GET", `/api/v1/people/${id}`);
      const match = { "if-match": `"${revision}"` };
      await ada.must("PUT", `/api/v1/people/${id}`, { name: "Grace", grants: [] }, match);
    },
  ],
  [
    "an administrator's end of all sessions",
    (ada, { id }) => ada.must("DELETE", `/api/v1/people/${id}/sessions`),
  ],
];

test("S03, S16: whatever ends a session ends it everywhere, its sockets within 5 s", async () => {
  await using hub = await testHub();
  const port = hub.listen();
  const ada = await adaAt(hub);
  const hall = await placeAt(ada, "Hall 1");
  const victims = await Promise.all(
    ENDS.map(([what, end], i) =>
      joined(ada, `Grace${i}`, [{ role: "viewer", siteId: hall }]).then((victim) => ({ what, end, victim })),
    ),
  );
  const ended = async ({ what, end, victim }: (typeof victims)[number]) => {
    const { cookie } = victim;
    using socket = await liveSocket(victim, port);
    await end(ada, victim);
    const me = await hub.ask("/api/v1/me", { headers: { cookie } });
    const list = await hub.ask("/api/v1/gateways", { headers: { cookie } });
    using late = new RawSocket(port);
    const again = await late.upgrade(LIVE_PATH, { cookie, origin: ORIGIN });
    const said = [me.status, list.status, again.status];
    expect([what, ...said]).toEqual([what, ...(what === ROLE_TAKEN ? [200, 403, 403] : [401, 401, 401])]);
    expect([what, await socket.closeCode()]).toEqual([what, 4401]);
  };
  await Promise.all(victims.map(ended));
  // What is looked up every so often ends by then.
  expect(LIVE.accessLookMs).toBeLessThan(5_000);
}, 30_000);

test("one's own sessions are listed, and ended one by one or all others at once", async () => {
  await using hub = await testHub();
  const ada = await adaAt(hub);
  const others = [new Browser(hub), new Browser(hub), new Browser(hub)];
  for (const browser of others) await browser.signIn(ADA.email, ADA.password);
  const list = async () =>
    (await ada.must<{ items: { id: string; own: boolean }[] }>("GET", "/api/v1/me/sessions")).items;
  const before = await list();
  expect(before.map(({ own }) => own).sort()).toEqual([false, false, false, true]);
  const one = before.find(({ own }) => !own)!;
  expect(await ada.must("DELETE", `/api/v1/me/sessions/${one.id}`)).toEqual({ ended: 1 });
  expect(await ada.must("DELETE", "/api/v1/me/sessions")).toEqual({ ended: 2 });
  expect((await list()).map(({ own }) => own)).toEqual([true]);
  const answers = await Promise.all(others.map((browser) => browser.ask("GET", "/api/v1/me")));
  expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
});

async function sessionsOpen(hub: TestHub): Promise<number> {
  const rows = await hub.database.sql`SELECT count(*)::int AS n FROM session`;
  return rows[0].n;
}

test("a person's sessions are bounded: the oldest ends for the next", async () => {
  await using hub = await testHub();
  const ada = await adaAt(hub);
  for (let i = 0; i < 12; i++) await new Browser(hub).signIn(ADA.email, ADA.password);
  expect(await sessionsOpen(hub)).toBe(10);
  expect((await ada.ask("GET", "/api/v1/me")).status).toBe(401);
});

test("sign-ins, their ends and refusals are in the audit, with whom and from where", async () => {
  await using hub = await testHub();
  const ada = await adaAt(hub);
  await new Browser(hub).signIn(ADA.email, "not the password");
  await ada.must("POST", "/api/v1/sign-out", {});
  const { items } = (await hub.call<{ items: { action: string; who: string }[] }>("GET", "/api/v1/audit"))
    .body;
  const actions = items.map(({ action }) => action);
  for (const action of ["session.open", "session.refused", "session.close"])
    expect(actions).toContain(action);
});
