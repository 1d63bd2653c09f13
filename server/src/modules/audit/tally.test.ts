import { expect, test } from "bun:test";
import { AUDIT } from "./limits.ts";
import { type AccessFact, Tally } from "./tally.ts";

const START_MS = 1_700_000_000_000;

const refused = (over: Partial<AccessFact> = {}, address = "10.0.0.7"): AccessFact => ({
  kind: "refused",
  action: "session.refused",
  who: "nobody",
  subject: "account:ada@plant.example",
  from: { address, client: "browser" },
  facts: { path: "/x" },
  ...over,
});

/** Time that goes by by hand; both clocks together. */
function tally() {
  const all = new Tally();
  let monoMs = 5_000;
  const now = () => START_MS + monoMs;
  return {
    take: (fact: AccessFact) => all.take(fact, now(), monoMs),
    due: (afterMs: number, whole = false) => {
      monoMs += afterMs;
      return all.due(now(), monoMs, whole);
    },
  };
}

test("the first of a sort is an entry, those after it are counted into one", () => {
  const t = tally();
  expect(t.take(refused())).toMatchObject({ action: "session.refused", new: { path: "/x" } });
  for (let i = 0; i < 9; i++) expect(t.take(refused())).toBeNull();
  expect(t.due(AUDIT.accessWindowMs - 1)).toEqual([]);
  const [more, ...others] = t.due(1);
  expect([more!.new, others]).toEqual([{ more: 9, since: new Date(START_MS + 5_000).toISOString() }, []]);
  // Quiet for a whole window: what comes then is the first again.
  expect(t.due(2 * AUDIT.accessWindowMs)).toEqual([]);
  expect(t.take(refused())).not.toBeNull();
});

test("another account, address or action is another sort; another address of the same network is not", () => {
  const t = tally();
  expect(t.take(refused({}, "2001:db8:1:2::1"))).not.toBeNull();
  expect(t.take(refused({}, "2001:db8:1:2::ffff"))).toBeNull();
  expect(t.take(refused({}, "2001:db8:1:3::1"))).not.toBeNull();
  expect(t.take(refused({ subject: "account:bob@plant.example" }, "2001:db8:1:2::1"))).not.toBeNull();
  expect(t.take(refused({ action: "access.forbidden" }, "2001:db8:1:2::1"))).not.toBeNull();
});

test("a flood without an end costs fewer and fewer entries, down to one an hour", () => {
  const t = tally();
  let entries = t.take(refused()) === null ? 0 : 1;
  let counted = entries;
  for (let minute = 0; minute < 24 * 60; minute++) {
    for (let i = 0; i < 5; i++) expect(t.take(refused())).toBeNull();
    for (const { new: facts } of t.due(60_000)) {
      entries += 1;
      counted += (facts as { more: number }).more;
    }
  }
  for (const { new: facts } of t.due(0, true)) counted += (facts as { more: number }).more;
  expect(entries).toBeLessThan(32);
  expect(counted).toBe(1 + 24 * 60 * 5);
});

test("a spray over ever new accounts ends in one sort, and hides no sign-in", () => {
  const t = tally();
  const spray = Array.from({ length: 10_000 }, (_, i) => refused({ subject: `account:${i}@plant.example` }));
  expect(spray.map(t.take).filter((entry) => entry !== null)).toHaveLength(AUDIT.accessNewMax);
  const signIn: AccessFact = {
    kind: "access",
    action: "session.open",
    who: "person:1",
    subject: "person:1",
    from: null,
  };
  expect(t.take(signIn)).not.toBeNull();
  const rest = t.due(AUDIT.accessWindowMs);
  expect(rest).toHaveLength(1);
  expect(rest[0]).toMatchObject({
    action: "refused.others",
    new: { more: spray.length - AUDIT.accessNewMax },
  });
  // A day of it stays within what is remembered.
  for (let minute = 0; minute < 24 * 60; minute++) {
    for (let i = 0; i < 50; i++) t.take(refused({ subject: `account:${minute}-${i}@plant.example` }));
    expect(t.due(60_000).length).toBeLessThanOrEqual(1);
  }
});
