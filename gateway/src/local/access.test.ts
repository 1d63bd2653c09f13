import { expect, test } from "bun:test";
import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FIRST_PIN, localRig, OWN_PIN } from "../../test/local-rig.ts";
import { PIN_FILE, writePin } from "./access/pin.ts";
import { SESSION } from "./access/sessions.ts";
import { TRIES } from "./access/tries.ts";

/** `security.md` S45, over real sockets. */

const MINUTE = 60_000;

test("S45: without signing in there is a light and nothing of the plant", async () => {
  await using rig = await localRig();
  const stranger = rig.visitor();
  const response = await stranger.get("/");
  const page = await response.text();
  expect(response.status).toBe(200);
  for (const word of ["Working", "Not connected"]) expect(page).toContain(word);
  for (const path of ["/", "/tags", "/service", "/pin", "/nowhere"]) {
    const text = await (await stranger.get(path)).text();
    expect(text).not.toMatch(/Press|00000000-0000|aaaa bbbb|hub\.example|millrace-gateway|manifest/);
  }
  expect((await stranger.get("/tags")).status).toBe(401);
  expect((await stranger.get("/api/v1/status")).status).toBe(401);
  expect((await stranger.get("/livez")).status).toBe(200);
  expect((await stranger.get("/readyz")).status).toBe(200);
  rig.refuseDisk();
  expect(await stranger.text("/")).toContain("Not working");
  for (const path of ["/service/begin", "/service/lockout", "/pin", "/sign-out"])
    expect((await stranger.post(path)).headers.get("location")).toBe("/");
  expect(rig.local.state()).toMatchObject({ commissioningUntilMs: null, lockedOut: false });
});

test("S45: the first PIN opens one page only, where another is chosen; it is kept as a hash for the owner alone", async () => {
  await using rig = await localRig();
  const ada = rig.visitor();
  expect((await ada.signIn(` ${FIRST_PIN.slice(0, 4)} ${FIRST_PIN.slice(4)}`)).headers.get("location")).toBe(
    "/pin",
  );
  const cookie = ada.cookie;
  for (const path of ["/", "/tags", "/service"])
    expect((await ada.get(path)).headers.get("location")).toBe("/pin");
  expect((await ada.get("/api/v1/status")).status).toBe(401);
  await ada.text("/pin");
  await ada.post("/service/begin");
  expect(rig.local.commissioning.armedUntilMs()).toBeNull();
  for (const [next, again, word] of [
    ["12345678", "12345678", "first a stranger tries"],
    [FIRST_PIN, FIRST_PIN, "the present PIN"],
    [OWN_PIN, `${OWN_PIN}1`, "differ"],
  ] as const) {
    await ada.post("/pin", { next, again });
    expect(await ada.text("/pin")).toContain(word);
  }
  await ada.post("/pin", { next: OWN_PIN, again: OWN_PIN });
  expect(ada.cookie).not.toBe(cookie);
  expect(await ada.text("/")).toContain("Press &lt;hall&gt;");
  expect((await ada.get("/api/v1/status")).status).toBe(200);
  expect((await rig.visitor().signIn(FIRST_PIN)).status).toBe(401);
  expect((await stat(join(rig.folder, PIN_FILE))).mode & 0o777).toBe(0o600);
  for (const file of await readdir(rig.folder)) {
    const text = await readFile(join(rig.folder, file), "utf8");
    expect(text).not.toMatch(new RegExp(`${FIRST_PIN}|${OWN_PIN}`));
  }
  expect(rig.codes()).toEqual(["local.signedIn", "local.pinChanged", "local.refused"]);
  expect(JSON.stringify(rig.events)).not.toMatch(new RegExp(`${FIRST_PIN}|${OWN_PIN}`));
});

test("S45: five wrong PINs lock the page for 15 minutes, seen there and at the hub, also for the right one", async () => {
  await using rig = await localRig();
  const stranger = rig.visitor();
  for (let n = 1; n < TRIES.perAddress; n++) {
    const response = await stranger.signIn("00000000");
    expect(response.status).toBe(401);
    expect(await response.text()).toContain(`${TRIES.perAddress - n} more`);
  }
  const last = await stranger.signIn("00000000");
  expect([last.status, last.headers.get("retry-after")]).toEqual([429, "900"]);
  expect((await stranger.signIn(FIRST_PIN)).status).toBe(429);
  expect(await stranger.text("/")).toContain("Too many wrong PINs from here");
  expect(rig.local.state().signInLockedUntilMs).toBe(rig.clock.nowMs() + 15 * MINUTE);
  expect(rig.changes()).toBe(1);
  expect(rig.codes().filter((code) => code === "local.refused")).toHaveLength(TRIES.perAddress + 1);
  expect(rig.events.find(({ code }) => code === "local.locked")).toMatchObject({
    severity: "error",
    data: { scope: "address", address: "127.0.0.1", minutes: 15 },
  });
  await rig.clock.advance(15 * MINUTE);
  expect(rig.local.state().signInLockedUntilMs).toBeNull();
  expect((await stranger.signIn(FIRST_PIN)).status).toBe(303);
});

test("S45: tries side by side are no more tries, and refusals do not fill the buffer", async () => {
  await using rig = await localRig();
  const all = await Promise.all(Array.from({ length: 40 }, (_, n) => rig.visitor().signIn(`0000${n}0000`)));
  const wrong = all.filter(({ status }) => status === 401);
  expect(wrong.length).toBeLessThan(TRIES.perAddress);
  expect(all.every(({ status }) => status === 401 || status === 429)).toBe(true);
  for (let n = 0; n < 60; n++) await rig.visitor().signIn("0");
  const refusals = rig.events.filter(({ code }) => code === "local.refused");
  expect(refusals.length).toBe(30);
  await rig.clock.advance(15 * MINUTE);
  await rig.visitor().signIn("0");
  expect(rig.events.at(-1)?.data.untold).toBeGreaterThan(20);
});

test("S45: a session ends by itself: without a person for 15 minutes, whatever the page renews, and after 8 hours", async () => {
  await using rig = await localRig();
  const ada = await rig.inside();
  await rig.clock.advance(SESSION.idleMs - 1);
  expect((await ada.get("/", { "x-renew": "1" })).status).toBe(200);
  expect((await ada.get("/?renew=1")).status).toBe(200);
  await rig.clock.advance(1);
  expect(await ada.text("/")).not.toContain("Press");
  await ada.signIn(OWN_PIN);
  for (let passed = 0; passed < SESSION.absoluteMs - SESSION.idleMs; passed += 14 * MINUTE) {
    expect((await ada.get("/tags")).status).toBe(200);
    await rig.clock.advance(14 * MINUTE);
  }
  await rig.clock.advance(14 * MINUTE);
  expect((await ada.get("/tags")).status).toBe(401);
});

test("S45: sessions are few, end with sign-out, and their cookie is held to this page", async () => {
  await using rig = await localRig();
  const ada = await rig.inside();
  const response = await rig.visitor().signIn(OWN_PIN);
  expect(response.headers.get("set-cookie")).toMatch(
    /^millrace_local=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/,
  );
  for (let n = 0; n < SESSION.countMax; n++) {
    await rig.clock.advance(1);
    await rig.visitor().signIn(OWN_PIN);
  }
  expect((await ada.get("/tags")).status).toBe(401);
  const bob = rig.visitor();
  await bob.signIn(OWN_PIN, "Bob");
  await bob.text("/");
  const { cookie } = bob;
  await bob.post("/sign-out");
  bob.cookie = cookie;
  expect((await bob.get("/tags")).status).toBe(401);
  expect(rig.codes()).toContain("local.signedOut");
});

test("S45: a PIN made anew at the machine counts at once: everybody is out, locks are gone, one must be chosen", async () => {
  await using rig = await localRig();
  const ada = await rig.inside();
  for (let n = 0; n < TRIES.perAddress; n++) await rig.visitor().signIn("00000000");
  expect((await rig.visitor().signIn(OWN_PIN)).status).toBe(429);
  await writePin(rig.folder, "5550 1234", true, 0);
  expect((await ada.get("/tags")).status).toBe(401);
  expect((await ada.signIn("55501234")).headers.get("location")).toBe("/pin");
});

test("S45: a damaged or lost PIN keeps people out and the gateway at work", async () => {
  await using rig = await localRig();
  const path = join(rig.folder, PIN_FILE);
  await writeFile(path, "{");
  const damaged = await rig.visitor().signIn(FIRST_PIN);
  expect(damaged.status).toBe(503);
  expect(await damaged.text()).toContain("reset-pin");
  expect(await rig.visitor().text("/")).toContain("Working");
  await rm(path);
  expect((await rig.visitor().signIn(FIRST_PIN)).status).toBe(503);
});
