import { expect, test } from "bun:test";
import { AUDIT_BREAKS, AUDIT_CLIENTS } from "@millrace/contract/api/audit";
import { auditSearch, formatAuditFilter, NO_AUDIT_FILTER, parseAuditFilter } from "./audit-filter.ts";
import { actionWords, changesOf, fromWords, subjectWords, verdictWords, whoWords } from "./audit-words.ts";

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

test("who, what and from where are said in words, and what is not known as it is written", () => {
  expect(actionWords("trendView.edit")).toBe("Trend view changed");
  expect(actionWords("apiKey.create")).toBe("API key added");
  expect(actionWords("config.apply")).toBe("Configuration applied");
  expect(actionWords("gateway.invented")).toBe("gateway.invented");
  expect(actionWords("site.constructor")).toBe("site.constructor");
  expect(whoWords({ who: "person:1", whoName: "Ada" })).toBe("Ada");
  expect(whoWords({ who: "apiKey:1", whoName: "CI" })).toBe("CI (API key)");
  expect(whoWords({ who: "gateway:1", whoName: "GW" })).toBe("GW (gateway)");
  expect(whoWords({ who: "hub:retention", whoName: null })).toBe("The hub itself (retention)");
  expect(whoWords({ who: "system", whoName: null })).toBe("The hub itself");
  expect(whoWords({ who: "person:gone", whoName: null })).toBe("person:gone");
  for (const client of AUDIT_CLIENTS)
    expect(fromWords({ address: "10.0.0.7", client })).toMatch(/^10\.0\.0\.7, \w/);
  expect(fromWords(null)).toContain("hub");
});

test("only fields that differ are shown, long values are cut", () => {
  expect(
    changesOf({ old: { name: "a", unit: "°C", tags: [1] }, new: { name: "b", unit: "°C", on: true } }),
  ).toEqual({
    changes: [
      { field: "name", old: "a", new: "b" },
      { field: "tags", old: "[1]", new: null },
      { field: "on", old: null, new: "true" },
    ],
    more: 0,
  });
  expect(changesOf({ old: null, new: { text: "x".repeat(1_000) } }).changes[0]!.new).toHaveLength(301);
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, i]));
  expect(changesOf({ old: many, new: null })).toMatchObject({ more: 40 });
  expect(subjectWords({ subject: "site:1", old: { name: "Hall" }, new: null })).toBe("Hall");
  expect(subjectWords({ subject: "site:1", old: null, new: { name: 7 } })).toBe("site:1");
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
