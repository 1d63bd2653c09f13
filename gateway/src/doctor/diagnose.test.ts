import { describe, expect, test } from "bun:test";
import type { LineFacts, UnitFacts } from "../driver/doctor.ts";
import { DRIVERS } from "../driver/registry.ts";
import { diagnose } from "./diagnose.ts";

/** Causes from figures alone. What real devices show is in the drivers' own `doctor.test.ts`. */

const device = { deviceId: "d", name: "Press", scanMs: 1_000, cycles: 900, missed: 0, timeoutMs: 500 };
const unit = (more: Partial<UnitFacts> = {}): UnitFacts => ({
  unit: 1,
  devices: [device],
  requests: 1_000,
  answers: 1_000,
  refusals: 0,
  timeouts: 0,
  garbled: 0,
  wrongIds: 0,
  late: 0,
  lateMaxMs: 0,
  retries: 0,
  codes: new Map(),
  p50Ms: 20,
  p95Ms: 40,
  maxMs: 60,
  busyShare: 0.1,
  waitedShare: 0,
  ...more,
});
const dead = (number: number, more: Partial<UnitFacts> = {}) =>
  unit({
    unit: number,
    requests: 30,
    answers: 0,
    timeouts: 30,
    p50Ms: null,
    p95Ms: null,
    maxMs: null,
    ...more,
  });

const driverOf = (kind: string) => DRIVERS.find((driver) => driver.kind === kind)!;
function line(more: Partial<LineFacts> = {}, kind = "modbus"): LineFacts {
  const { properties } = driverOf(kind).settings as unknown as { properties: object };
  return {
    driver: kind,
    settings: { requestGapMs: 0 },
    settingNames: Object.keys(properties),
    link: { state: "up", code: "", message: "", context: {} },
    lostBy: "",
    spanMs: 900_000,
    losses: 0,
    failedTries: 0,
    silences: 0,
    busyShare: 0.3,
    units: [unit()],
    probeMs: 30_000,
    learned: [],
    figures: {},
    ...more,
  };
}
const down = (code: string, context: object = {}): Partial<LineFacts> => ({
  link: { state: "waiting", code, message: `plc:502 failed with ${code}.`, context: { ...context } },
  units: [dead(1, { requests: 0, timeouts: 0 })],
  failedTries: 4,
});
const codes = (entries: Record<string, number>): Partial<LineFacts> => ({
  units: [unit({ refusals: 9, codes: new Map(Object.entries(entries)) })],
});
const found = (facts: LineFacts) => diagnose(facts, driverOf(facts.driver).diagnose);

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

  const s7 = { family: "1200", pduMax: 240, rack: 0 };
  const opcua = { publishMs: 500, keepAliveMs: 2_500 };
  test.each<[string, string, Partial<LineFacts>, string, string, RegExp]>([
    [
      "s7",
      "PUT/GET off",
      { ...codes({ "0x8104": 9 }), settings: s7 },
      "access.off",
      "",
      /PUT\/GET communication/,
    ],
    [
      "s7",
      "one place closed",
      {
        ...codes({ "0x03": 2 }),
        settings: s7,
        learned: ["The CPU refuses DB1.DBW4 (code 0x03): access is switched off"],
      },
      "access.off",
      "",
      /DB1\.DBW4/,
    ],
    [
      "s7",
      "block missing",
      {
        ...codes({ "0x0a": 2 }),
        settings: s7,
        learned: ["The CPU refuses DB7.DBW0 (code 0x0a): DB7 is not in the CPU"],
      },
      "address.illegal",
      "",
      /DB7 is not in the CPU/,
    ],
    [
      "s7",
      "place wrong",
      { ...down("link.refused", { stage: "iso", slot: 2 }), settings: s7 },
      "link.place",
      "slot",
      /failed with link\.refused/,
    ],
    [
      "s7",
      "no resources",
      { ...codes({ "0x8304": 9 }), settings: s7 },
      "device.busy",
      "jobsMax",
      /no room for 9/,
    ],
    [
      "s7",
      "short telegrams",
      { settings: s7, busyShare: 0.7, figures: { pduBytes: 240 } },
      "pdu.short",
      "pduMax",
      /240 bytes .* `pduMax` to 960/,
    ],
    [
      "opcua",
      "no session left",
      { ...down("link.refused", { status: "BadTooManySessions" }), settings: opcua },
      "link.sessions",
      "sessionTimeoutMs",
      /no session left/,
    ],
    [
      "opcua",
      "clock too far off for security",
      { ...down("link.refused", { status: "BadInvalidTimestamp" }), settings: opcua },
      "link.clock",
      "",
      /set the server's clock/,
    ],
    [
      "opcua",
      "clock off",
      { settings: opcua, figures: { clockOffMs: -3_600_000 } },
      "clock.off",
      "",
      /1 h behind/,
    ],
    [
      "opcua",
      "news late",
      { settings: opcua, figures: { lateNews: 3, latestNewsMs: 9_000 } },
      "publish.late",
      "publishMs",
      /late 3 times, at worst after 9000 ms/,
    ],
    [
      "opcua",
      "news seldom",
      { settings: opcua, figures: { publishMs: 2_000 } },
      "publish.slow",
      "publishMs",
      /every 2000 ms at best/,
    ],
    [
      "opcua",
      "queue too short",
      { settings: opcua, figures: { overflows: 8 } },
      "queue.short",
      "queueMax",
      /threw 8 values away/,
    ],
    [
      "opcua",
      "nodes gone",
      { settings: opcua, figures: { missing: 4 } },
      "nodes.missing",
      "",
      /does not know 4/,
    ],
    [
      "opcua",
      "silent",
      { settings: opcua, silences: 2 },
      "connection.silent",
      "keepAliveMs",
      /fell silent twice/,
    ],
    [
      "opcua",
      "untrusted",
      { ...down("link.untrusted"), settings: opcua },
      "link.down",
      "serverFingerprint",
      /compare the fingerprint/,
    ],
  ])("%s: %s", (kind, _, more, finding, setting, words) => {
    const [first] = found(line(more, kind));
    expect(first).toMatchObject({ kind: finding, setting });
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
