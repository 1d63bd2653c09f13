import { expect, test } from "bun:test";
import { AUDIT_BREAKS, AUDIT_CLIENTS, type AuditState } from "@millrace/contract/api/audit";
import { actionWords, knownActionWords } from "./action-words.ts";
import {
  type AuditFilter,
  auditSearch,
  formatAuditFilter,
  NO_AUDIT_FILTER,
  parseAuditFilter,
} from "./audit-filter.ts";
import { changesOf, fromWords, subjectWords, verdictWords, whoWords } from "./audit-words.ts";
import { type ChoiceField, choicesOf } from "./filter-choices.ts";
import { alarmWords, chainLine, roomLine, writeLine } from "./state-words.ts";

test("an address keeps the filter, and nonsense in it is no filter", () => {
  const filter = {
    from: "2026-11-01",
    to: "2026-11-02",
    who: "gateway:*",
    action: "device.edit",
    subject: "a b&c",
  };
  expect(parseAuditFilter(formatAuditFilter(filter))).toEqual(filter);
  expect(formatAuditFilter(NO_AUDIT_FILTER)).toBe("");
  expect(parseAuditFilter("from=yesterday&who=%20x%20&else=1")).toEqual({ ...NO_AUDIT_FILTER, who: "x" });
});

test("days are whole days here, the last one included", () => {
  const asked = new URLSearchParams(
    auditSearch({ ...NO_AUDIT_FILTER, from: "2026-11-01", to: "2026-11-01", who: "x" }, "abc", 50),
  );
  const [from, to] = [new Date(asked.get("from")!), new Date(asked.get("to")!)];
  expect([from.getDate(), from.getHours(), to.getDate(), to.getHours()]).toEqual([1, 0, 2, 0]);
  expect([asked.get("who"), asked.get("cursor"), asked.get("limit"), asked.get("action")]).toEqual([
    "x",
    "abc",
    "50",
    null,
  ]);
  expect(auditSearch(NO_AUDIT_FILTER, null, 5)).toBe("limit=5");
});

/** Every action the hub's source names: as `action`, as what `note` is told, and what refusals are called. */
async function actionsOfTheHub(): Promise<string[]> {
  const source = new URL("../../../../../server/src/", import.meta.url).pathname;
  const found = new Set<string>();
  for await (const file of new Bun.Glob("**/*.ts").scan(source)) {
    if (file.endsWith(".test.ts")) continue;
    const text = await Bun.file(source + file).text();
    const said = [...text.matchAll(/\baction: [^,\n]*|\bnote\([^{;]*|"access\.\w+"/g)].map(([all]) => all);
    for (const [, action = ""] of said.join("\n").matchAll(/"([a-z]\w*\.[a-zA-Z]+)"/g)) found.add(action);
  }
  // Tried and taken back: no entry is ever called so.
  found.delete("audit.probe");
  return [...found];
}

test("every action the hub writes has words of its own", async () => {
  const actions = await actionsOfTheHub();
  for (const action of ["site.create", "factor.add", "access.forbidden", "person.disable"])
    expect(actions).toContain(action);
  expect(actions.filter((action) => knownActionWords(action) === null)).toEqual([]);
});

test("who, what and from where are said in words, also what this page does not know", () => {
  expect(actionWords("trendView.edit")).toBe("Trend view changed");
  expect(actionWords("apiKey.create")).toBe("API key added");
  expect(actionWords("config.apply")).toBe("Configuration applied");
  expect(actionWords("gateway.invented")).toBe("Gateway: invented");
  expect(actionWords("site.constructor")).toBe("Place: constructor");
  expect(whoWords({ who: "person:1", whoName: "Ada" })).toBe("Ada");
  expect(whoWords({ who: "apiKey:1", whoName: "CI" })).toBe("CI (API key)");
  expect(whoWords({ who: "gateway:1", whoName: "GW" })).toBe("GW (gateway)");
  expect(whoWords({ who: "hub:retention", whoName: null })).toBe("The hub itself (retention)");
  expect(whoWords({ who: "system", whoName: null })).toBe("The hub itself");
  expect(whoWords({ who: "person:gone", whoName: null })).toBe("Person that is gone");
  expect(whoWords({ who: "nobody", whoName: null })).toBe("Somebody unknown");
  for (const client of AUDIT_CLIENTS)
    expect(fromWords({ address: "10.0.0.7", client })).toMatch(/^10\.0\.0\.7, \w/);
  expect(fromWords(null)).toContain("hub");
});

test("only fields that differ are shown, long values are cut", () => {
  expect(
    changesOf({ old: { name: "a", unit: "°C", tags: [1] }, new: { name: "b", unit: "°C", on: true } }),
  ).toEqual({
    changes: [
      { field: "Name", old: "a", new: "b" },
      { field: "Tags", old: "[1]", new: null },
      { field: "On", old: null, new: "true" },
    ],
    more: 0,
  });
  expect(changesOf({ old: null, new: { text: "x".repeat(1_000) } }).changes[0]!.new).toHaveLength(301);
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, i]));
  expect(changesOf({ old: many, new: null })).toMatchObject({ more: 40 });
});

test("what it was done to is called by a name, or by what kind of thing it was", () => {
  const nothing = { subjectName: null, old: null, new: null };
  const gone = "site:01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55";
  expect(subjectWords({ ...nothing, subject: gone, old: { name: "Hall" } })).toBe("Hall");
  expect(subjectWords({ ...nothing, subject: gone, subjectName: "Works/Hall" })).toBe("Works/Hall");
  expect(subjectWords({ subject: gone, subjectName: "Works/New", old: null, new: { name: "Old" } })).toBe(
    "Old",
  );
  for (const [subject, words] of [
    [gone, "place that is gone"],
    ["gateway:k3Jx9Qp2Lm5Vn8Rt", "gateway that is gone"],
    ["permission:plant.edit", "change places, devices, profiles and tags, and publish them"],
    ["retention:standard", "standard"],
    ["config:12", "version 12"],
    ["hub:self", "this hub"],
    ["person:unknown", "an account that does not exist"],
  ] as const)
    expect(subjectWords({ ...nothing, subject })).toBe(words);
});

test("each verdict has words and, when it is bad, a next step", () => {
  const when = () => "10:00";
  const good = {
    ok: true,
    rows: 1_234,
    anchors: 1,
    newestAnchor: { no: 1_200, at: "2026-11-01T10:00:00.000Z" },
  };
  expect(verdictWords(good, when).text).toBe(
    "1,234 entries hold. The hub signed them up to entry 1,200 at 10:00.",
  );
  for (const why of AUDIT_BREAKS) {
    const verdict = { ok: false, rows: 6, anchors: 0, newestAnchor: null, firstBroken: { no: 7, why } };
    const { ok, title, text, nextStep } = verdictWords(verdict, when);
    expect([ok, title]).toEqual([false, "The audit does not hold from entry 7 on"]);
    expect(text).toMatch(/^Of this entry: .{10,}\. 6 entries hold before it\.$/);
    expect(nextStep).not.toBe("");
  }
});

test("filters are chosen in words, and what came by an address is one of the choices", () => {
  const labels = (filter: Partial<AuditFilter>, field: ChoiceField) =>
    choicesOf(field, { ...NO_AUDIT_FILTER, ...filter }).map(({ label }) => label);
  for (const field of ["action", "who", "subject"] as const) {
    const plain = labels({}, field);
    expect(new Set(plain).size).toBe(plain.length);
    for (const label of plain) expect(label).toMatch(/^[A-Z][A-Za-z' -]+$/);
  }
  expect(labels({ action: "device.edit" }, "action").at(-1)).toBe("Device changed");
  expect(labels({ who: "person:01938f5e" }, "who").at(-1)).toBe("One person");
  expect(labels({ subject: "apiKey:1" }, "subject").at(-1)).toBe("One API key");
  expect(labels({ subject: "device:*" }, "subject")).toEqual(labels({}, "subject"));
});

test("the state says what follows: nothing when all is well, an alarm when it was altered or cannot be written", () => {
  const when = () => "10:00";
  const well: AuditState = {
    unwritableSince: null,
    lost: 0,
    rows: 1_234,
    checked: { at: "2026-11-26T10:00:00.000Z", rows: 1_200, brokenNo: null, why: null },
    bytes: 1e6,
    diskFreeBytes: 2e9,
    storageWarning: null,
    guessing: null,
  };
  expect(alarmWords(well, when)).toBeNull();
  expect(chainLine(well, when)).toMatchObject({
    look: "good",
    text: "The hub itself checked at 10:00: 1,200 entries hold. The next check is a day later.",
  });
  expect(roomLine(well, String)).toMatchObject({ look: "good", title: "1,234 entries, 1000000" });
  for (const why of AUDIT_BREAKS) {
    const broken = { ...well, checked: { ...well.checked!, brokenNo: 7, why } };
    expect(alarmWords(broken, when)).toBe("The audit: altered from entry 7 on");
    expect(chainLine(broken, when).nextStep).not.toBe("");
  }
  const shut = { ...well, unwritableSince: "2026-11-26T10:00:00.000Z", lost: 2 };
  expect(alarmWords(shut, when)).toBe("The audit: cannot be written since 10:00");
  expect(writeLine(shut, when).text).toBe(
    "Changes and commands are refused until it can. Values, alarms and sign-ins go on. 2 sign-ins and refusals could not be kept.",
  );
  const guessed = { ...well, guessing: { since: "2026-11-26T10:00:00.000Z", count: 300 } };
  expect(alarmWords(guessed, when)).toBe("Somebody tries claim tokens since 10:00");
  expect(alarmWords({ ...guessed, unwritableSince: shut.unwritableSince }, when)).toBe(
    "The audit: cannot be written since 10:00. Somebody tries claim tokens since 10:00",
  );
  expect(writeLine({ unwritableSince: null, lost: 1 }, when).look).toBe("warn");
  for (const storageWarning of ["size", "disk"] as const)
    expect(roomLine({ ...well, storageWarning }, String)).toMatchObject({ look: "warn" });
  expect(roomLine({ ...well, rows: null, bytes: null, diskFreeBytes: null }, String).look).toBe("wait");
  expect(chainLine({ checked: null }, when).look).toBe("wait");
});
