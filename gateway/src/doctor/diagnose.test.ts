import { describe, expect, test } from "bun:test";
import { codes, dead, device, down, found, line, unit } from "../../test/line-facts.ts";
import type { LineFacts } from "../driver/doctor.ts";

/** Causes from figures alone. What real devices show is in the drivers' own `doctor.test.ts`. */

test.each(["modbus", "s7", "opcua"])("a %s line that is well has no finding", (kind) => {
  const settings = { publishMs: 500, pduMax: 960, family: "1500" };
  const figures = { publishMs: 500, pduBytes: 480, clockOffMs: 200 };
  expect(found(line({ settings, figures }, kind))).toEqual([]);
});

describe("each cause is named with the setting to change", () => {
  test.each<[string, Partial<LineFacts>, string, string, string, RegExp]>([
    [
      "one dead unit",
      { units: [unit(), dead(7)] },
      "unit.silent",
      "fault",
      "unit",
      /^Unit 7 answers none of 30 .* every 30 s\.$/,
    ],
    [
      "two dead units",
      { units: [unit(), dead(7), dead(9)] },
      "unit.silent",
      "fault",
      "unit",
      /^Units 7 and 9 answer none of 60/,
    ],
    [
      "all dead",
      { units: [dead(7)], probeMs: 5_000 },
      "line.silent",
      "fault",
      "unit",
      /connection opens, and unit 7 .* every 5 s\.$/,
    ],
    [
      "p95 at the timeout",
      { units: [unit({ p95Ms: 480 })] },
      "timeout.tight",
      "warn",
      "timeoutMs",
      /^Answers of unit 1 take 480 ms at p95 with a timeout of 500 ms: raise `timeoutMs` to 1000\.$/,
    ],
    [
      "late answers",
      { units: [unit({ late: 12, lateMaxMs: 640, timeouts: 12 })] },
      "timeout.tight",
      "warn",
      "timeoutMs",
      /12 came after it was given up, the slowest after 640 ms: raise `timeoutMs` to 1000/,
    ],
    [
      "only late answers",
      { units: [dead(1, { late: 30, lateMaxMs: 900 })] },
      "timeout.tight",
      "fault",
      "timeoutMs",
      /^Every answer of unit 1 comes after the timeout of 500 ms; .* to 1500\.$/,
    ],
    [
      "lost packets",
      { units: [unit({ answers: 970, timeouts: 30 })] },
      "line.lossy",
      "warn",
      "requestGapMs",
      /^3\.0 % of the requests to unit 1 get no answer, while the others take 40 ms/,
    ],
    [
      "a third lost",
      { units: [unit({ answers: 670, timeouts: 330 })] },
      "line.lossy",
      "fault",
      "requestGapMs",
      /33 %/,
    ],
    [
      "wrong answers",
      { units: [unit({ answers: 900, garbled: 100 })] },
      "answers.garbled",
      "warn",
      "requestGapMs",
      /^100 of 1000 answers of unit 1 did not fit/,
    ],
    [
      "strays",
      { units: [unit({ wrongIds: 20 })] },
      "answers.stray",
      "warn",
      "",
      /^20 answers came to questions nobody asked/,
    ],
    [
      "ids not echoed",
      { units: [dead(1, { wrongIds: 30 })] },
      "ids.notEchoed",
      "fault",
      "idsNotEchoed",
      /^30 answers to 30 requests .* Switch `idsNotEchoed` on/,
    ],
    [
      "address refused",
      { ...codes({ "2": 9 }), learned: ["unit 1: holding 104 (40105) is refused"] },
      "address.illegal",
      "warn",
      "",
      /^Unit 1 refuses holding 104 \(40105\)\. Compare/,
    ],
    [
      "too many registers",
      codes({ "3": 9 }),
      "address.illegal",
      "warn",
      "registersMax",
      /^Unit 1 refuses 9 of 1000 requests/,
    ],
    ["device failure", codes({ "4": 9 }), "device.failed", "fault", "", /exception 4/],
    ["busy", codes({ "6": 9 }), "device.busy", "warn", "requestGapMs", /9 of 1000 requests/],
    ["away behind its converter", codes({ "11": 9 }), "unit.away", "fault", "unit", /unit 1 is away/],
    [
      "full line",
      { busyShare: 0.97, units: [unit({ busyShare: 0.97, devices: [{ ...device, missed: 300 }] })] },
      "bus.full",
      "fault",
      "scanMs",
      /^Bus time 97 %: the scan of 1 s cannot be held, 25 % of the cycles are missed/,
    ],
    [
      "nearly full line",
      { busyShare: 0.93, settings: { requestGapMs: 20 } },
      "bus.full",
      "warn",
      "scanMs",
      /no room left.*smaller `requestGapMs` \(now 20 ms\)/,
    ],
    [
      "missed cycles on a free line",
      { units: [unit({ devices: [{ ...device, missed: 100 }] })] },
      "cycles.missed",
      "warn",
      "scanMs",
      /^Press misses 10 % of its cycles of 1 s though the line is free/,
    ],
    [
      "flapping",
      { losses: 5, lostBy: "plc:502 the peer closed the connection." },
      "connection.flaps",
      "warn",
      "",
      /lost 5 times in 15 min .* The last time: plc:502 the peer closed the connection\./,
    ],
    ["refused", down("link.refused"), "link.down", "fault", "port", /4 attempts failed.*is its service on/],
    ["unreachable", down("link.unreachable"), "link.down", "fault", "host", /power, network cable/],
    [
      "wrong setting",
      { link: { state: "down", code: "setting.wrong", message: "unit: too large.", context: {} } },
      "link.down",
      "fault",
      "",
      /unit: too large\. Check: correct/,
    ],
  ])("Modbus: %s", (_, more, kind, level, setting, words) => {
    const [first] = found(line(more));
    expect(first).toMatchObject({ kind, level, setting });
    expect(first!.words).toMatch(words);
  });
});

describe("no cause is named where there is none", () => {
  test.each<[string, Partial<LineFacts>]>([
    ["a unit that only a test asked", { units: [unit(), dead(99, { devices: [] })] }],
    ["a unit that was asked twice so far", { units: [unit(), dead(7, { requests: 2, timeouts: 2 })] }],
    ["one late answer", { units: [unit({ late: 1, lateMaxMs: 600, timeouts: 1 })] }],
    ["one lost answer in a thousand", { units: [unit({ answers: 999, timeouts: 1 })] }],
    ["two reconnects", { losses: 2 }],
    ["a line that is busy in its first half minute", { busyShare: 0.99, spanMs: 20_000 }],
    ["a converter with the switch on", { settings: { idsNotEchoed: true }, units: [unit({ wrongIds: 2 })] }],
    [
      "a connection that is being opened",
      { link: { state: "opening", code: "", message: "", context: {} }, units: [] },
    ],
  ])("%s", (_, more) => {
    expect(found(line(more))).toEqual([]);
  });
});

test("the most urgent comes first, and what follows from another cause is not told beside it", () => {
  const waiting = line({ units: [unit(), dead(7, { waitedShare: 0.4 }), unit({ unit: 3, p95Ms: 470 })] });
  expect(found(waiting).map(({ kind }) => kind)).toEqual(["unit.silent", "bus.waiting", "timeout.tight"]);
  const cut = line({ ...down("link.refused"), units: [dead(1)], losses: 9 });
  expect(found(cut).map(({ kind }) => kind)).toEqual(["link.down"]);
});

test("whatever the figures, sentences and lists stay within the wire's limits", () => {
  const units = Array.from({ length: 250 }, (_, at) => dead(at));
  const learned = Array.from({ length: 32 }, (_, at) => `unit 1: ${"holding ".repeat(60)}${at} is refused`);
  const findings = found(line({ units: [...units, unit({ codes: new Map([["2", 50]]) })], learned }));
  expect(findings.length).toBeLessThanOrEqual(20);
  for (const { words, units: named } of findings) {
    expect(words.length).toBeLessThanOrEqual(700);
    expect(named.length).toBeLessThanOrEqual(8);
  }
});
