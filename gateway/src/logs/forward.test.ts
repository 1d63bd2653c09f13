import { describe, expect, test } from "bun:test";
import type { LogRecord } from "@logtape/logtape";
import { REDACTED } from "@millrace/contract/std/redact";
import { LOG_RECORD } from "@millrace/contract/vocabulary/log";
import { decodeEvents, encodeEvents, type GatewayEvent } from "@millrace/contract/wire/event";
import { FakeClock } from "../../test/fake-clock.ts";
import { LogForward } from "./forward.ts";
import { logEvent } from "./log-event.ts";
import { LOG_GATE } from "./log-gate.ts";

const DEVICE = "00000000-0000-7000-8000-0000000000cc";

const record = (over: Partial<LogRecord> = {}): LogRecord => ({
  category: ["gateway", "device"],
  level: "warning",
  message: ["Press is not readable: ", "no answer", ""],
  rawMessage: "Press is not readable: {reason}",
  timestamp: 0,
  properties: {},
  ...over,
});

/** Through the wire's own check: what it refuses would block the lane. */
const wired = (event: GatewayEvent): GatewayEvent => decodeEvents(encodeEvents([event]))[0]!;

describe("a record as an event", () => {
  test("keeps its sentence, its facts and its device", () => {
    const properties = { reason: "no answer", code: "device.timeout", tries: 3, deviceId: DEVICE, ok: false };
    expect(wired(logEvent(record({ properties }), 7, []))).toEqual({
      timeMs: 7,
      code: "log.record",
      severity: "warning",
      message: "Press is not readable: no answer",
      deviceId: DEVICE,
      data: {
        reason: "no answer",
        code: "device.timeout",
        tries: 3,
        ok: false,
        level: "warning",
        logger: "gateway.device",
      },
    });
  });

  test("S39: never tells a secret: known, named or by its form, in the sentence or in a fact", () => {
    const error = new Error("dial mqtt://plc:CANARY-3@10.0.0.1 failed for CANARY-1");
    const event = wired(
      logEvent(
        record({
          message: [
            "signed in with ",
            "CANARY-1",
            " and ",
            { pin: "CANARY-2", deep: { token: "CANARY-2" } },
            " ",
            error,
          ],
          properties: { password: "CANARY-2", claimToken: "CANARY-2", error, note: "Bearer CANARY-2-abcdef" },
        }),
        0,
        ["CANARY-1"],
      ),
    );
    expect(JSON.stringify(event)).not.toContain("CANARY");
    expect(event.data).toMatchObject({ password: REDACTED, claimToken: REDACTED });
  });

  test("is bounded whatever comes, and keeps its one line", () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    const properties = Object.fromEntries(
      [...Array(40).keys()].map((n) => [
        `fact${"abcdefghijklmnopqrstuvwxyz"[n % 26]}${n < 26 ? "" : "x"}`,
        "é".repeat(9_000),
      ]),
    );
    const event = wired(
      logEvent(
        record({
          category: ["gateway", "x".repeat(300)],
          message: ["a\r\n2026 ERROR forged \u001b[2J \u202e", "\ud800", circle, "z".repeat(9_000)],
          properties: { ...properties, level: "forged", "not a name": 1, nan: Number.NaN },
        }),
        0,
        [],
      ),
    );
    expect(event.message.length).toBe(LOG_RECORD.messageCharsMax);
    expect(event.message).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
    expect(event.data.level).toBe("warning");
    expect(Object.keys(event.data).length).toBe(LOG_RECORD.factsMax + 2);
    for (const fact of Object.values(event.data))
      expect(String(fact).length).toBeLessThanOrEqual(LOG_RECORD.factCharsMax);
    expect(encodeEvents([event]).length).toBeLessThan(8_000);
  });
});

function rig() {
  const clock = new FakeClock();
  const logs = new LogForward(clock);
  const events: GatewayEvent[] = [];
  const attach = () => logs.attach({ clock, report: (event) => void events.push(wired(event)) });
  return { clock, logs, events, attach, messages: () => events.map(({ message }) => message) };
}

const many = (logs: LogForward, count: number, over: Partial<LogRecord> = {}) => {
  for (let n = 0; n < count; n++) logs.sink(record(over));
};

describe("forwarding", () => {
  test("begins at warnings, and leaves out what the buffer says about itself", () => {
    const { logs, events, attach } = rig();
    attach();
    for (const level of ["trace", "debug", "info", "warning", "error", "fatal"] as const)
      logs.sink(record({ level }));
    logs.sink(record({ category: ["gateway", "buffer"], level: "error" }));
    expect(events.map(({ data, severity }) => [data.level, severity])).toEqual([
      ["warning", "warning"],
      ["error", "error"],
      ["error", "error"],
    ]);
  });

  test("what was logged before the buffer was open goes out with the time it was logged at", async () => {
    const { clock, logs, events, attach } = rig();
    logs.sink(record());
    await clock.advance(3_000);
    clock.stepWall(1_000_000);
    attach();
    expect(events.map(({ timeMs }) => timeMs)).toEqual([clock.nowMs() - 3_000]);
  });

  test("a storm before the buffer is open waits in bounds, and its number is told when it is", async () => {
    const { clock, logs, events, attach, messages } = rig();
    many(logs, 500);
    await clock.advance(10 * LOG_GATE.tellMs);
    many(logs, 500);
    attach();
    await clock.advance(2 * LOG_GATE.tellMs);
    expect(events.length).toBeLessThan(70);
    expect(messages().at(-1)).toContain("records suppressed");
    const { sent, suppressed } = logs.status();
    expect(sent - 1 + suppressed).toBe(1_000);
    expect(events.at(-1)!.data.suppressed).toBe(suppressed);
  });

  test("a storm is cut, and its number told once a minute", async () => {
    const { clock, logs, events, attach, messages } = rig();
    attach();
    logs.hubIs(true);
    many(logs, 1_000);
    expect(events).toHaveLength(LOG_GATE.burst);
    await clock.advance(LOG_GATE.tellMs);
    expect(events).toHaveLength(LOG_GATE.burst + 1);
    expect(messages().at(-1)).toStartWith("940 records suppressed");
    expect(events.at(-1)!.data).toMatchObject({ suppressed: 940, level: "warning" });
    expect(logs.status()).toMatchObject({ sent: LOG_GATE.burst + 1, suppressed: 940 });
    many(logs, 100);
    expect(events).toHaveLength(LOG_GATE.burst + 1 + LOG_GATE.perMinute);
    // Quiet again: nothing more to tell than the last ninety.
    await clock.advance(10 * LOG_GATE.tellMs);
    expect(messages().filter((message) => message.includes("suppressed"))).toHaveLength(2);
  });

  test("while the hub is away talk stays below what is kept free for events, and is counted", async () => {
    const { clock, logs, events, attach, messages } = rig();
    attach();
    // As long as a record can be, in a script of three bytes a character.
    const long = "\u6f22".repeat(9_000);
    const properties = Object.fromEntries([..."abcdefghijkl"].map((name) => [name, long]));
    for (let minute = 0; minute < 100; minute++) {
      many(logs, 30, { message: [long], properties });
      await clock.advance(60_000);
    }
    const bytes = events.reduce((sum, event) => sum + encodeEvents([event]).length, 0);
    const longest = encodeEvents([events[0]!]).length;
    expect(longest).toBeGreaterThan(8_000);
    expect(bytes).toBeGreaterThan(LOG_GATE.awayBytesMax * 0.9);
    expect(bytes).toBeLessThan(LOG_GATE.awayBytesMax + longest);
    const before = events.length;
    logs.hubIs(true);
    await clock.advance(2 * LOG_GATE.tellMs);
    expect(events).toHaveLength(before + 1);
    const { suppressed } = logs.status();
    expect(messages().at(-1)).toContain("records suppressed");
    expect(Number(events.at(-1)!.data.suppressed)).toBeGreaterThan(2_000);
    expect(events.reduce((sum, { data }) => sum + Number(data.suppressed ?? 0), 0)).toBe(suppressed);
  });

  test("another level counts for its minutes and falls back by itself; both are told", async () => {
    const { clock, logs, events, attach } = rig();
    attach();
    logs.hubIs(true);
    logs.setLevel("debug", 2);
    expect(logs.status()).toMatchObject({ level: "debug", untilMs: clock.nowMs() + 120_000 });
    expect(logs.shows({ level: "debug" }, "info")).toBe(true);
    logs.sink(record({ level: "debug" }));
    await clock.advance(119_999);
    logs.sink(record({ level: "debug" }));
    await clock.advance(1);
    logs.sink(record({ level: "debug" }));
    expect(logs.shows({ level: "debug" }, "info")).toBe(false);
    expect(logs.status()).toMatchObject({ level: "warning", untilMs: null });
    expect(events.map(({ code, data }) => [code, data.level, data.minutes ?? null])).toEqual([
      ["log.level", "debug", 2],
      ["log.record", "debug", null],
      ["log.record", "debug", null],
      ["log.level", "warning", null],
    ]);
  });

  test("a second level replaces the first, with its own end; none lasts longer than the limit", async () => {
    const { clock, logs } = rig();
    logs.setLevel("debug", 1);
    logs.setLevel("error", 10_000);
    await clock.advance(LOG_RECORD.minutesMax * 60_000 - 1);
    expect(logs.level()).toBe("error");
    await clock.advance(1);
    expect(logs.level()).toBe("warning");
  });

  test("after the stop nothing is sent and no timer is left", async () => {
    const { clock, logs, events, attach } = rig();
    attach();
    many(logs, LOG_GATE.burst + 5);
    logs.setLevel("debug", 1);
    logs.detach();
    events.length = 0;
    expect(clock.pending()).toBe(0);
    await clock.advance(120_000);
    expect(events).toEqual([]);
  });
});
