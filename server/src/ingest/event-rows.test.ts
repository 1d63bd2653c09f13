import { expect, test } from "bun:test";
import type { GatewayEvent } from "@millrace/contract/wire/event";
import { anchorsOf, answersOf, splitLogs, writableEvents } from "./event-rows.ts";

const event = (data: GatewayEvent["data"], code = "clock.anchored", timeMs = 1): GatewayEvent => ({
  timeMs,
  code,
  severity: "info",
  message: "",
  data,
});

test("an anchor has a boot, an offset one can add, and says how good the clock is", () => {
  const told = { bootNo: 7, offsetMs: 1e12, quality: "ntp" };
  expect(anchorsOf([event(told)])).toEqual([told]);
  expect(anchorsOf([event({ bootNo: 7, offsetMs: 0 })])).toEqual([{ bootNo: 7, offsetMs: 0, quality: "" }]);
  const wrong: GatewayEvent["data"][] = [
    {},
    { bootNo: "7", offsetMs: 1 },
    { bootNo: 7, offsetMs: null },
    { bootNo: 0, offsetMs: 1 },
    { bootNo: 1.5, offsetMs: 1 },
    { bootNo: 2 ** 32, offsetMs: 1 },
    { bootNo: 7, offsetMs: 1e300 },
    { bootNo: 7, offsetMs: Number.NaN },
  ];
  expect(wrong.flatMap((data) => anchorsOf([event(data)]))).toEqual([]);
  expect(anchorsOf([event(told, "gateway.started")])).toEqual([]);
});

test("events keep their order, and lose only what a database cannot keep", () => {
  const nested = {
    list: [1],
    text: "a\u0000b",
    half: "\ud800",
    none: null,
  } as unknown as GatewayEvent["data"];
  const rows = writableEvents([event({ n: 1 }), event(nested)]);
  expect(rows.map(({ position, data }) => [position, data])).toEqual([
    [0, { n: 1 }],
    [1, { text: "a\ufffdb", half: "\ufffd", none: null }],
  ]);
  for (const timeMs of [7e13, -7e13, Number.POSITIVE_INFINITY, Number.NaN])
    expect(() => writableEvents([event({}, "gateway.started", timeMs)])).toThrow(/has the time/);
});

test("an answer names a command and an outcome that was agreed; the first of each command counts", () => {
  const commandId = "01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55";
  const told = (data: GatewayEvent["data"], code = "command.done") => event(data, code);
  expect(
    answersOf(
      writableEvents([
        told({ commandId, outcome: "perhaps" }),
        told({ commandId: "1", outcome: "done" }),
        told({ outcome: "done" }),
        told({ commandId, outcome: "failed" }, "command.else"),
        told({ commandId, commandNo: 3, outcome: "stale" }),
        told({ commandId, commandNo: 3, outcome: "done" }),
      ]),
    ),
  ).toMatchObject([{ commandId, outcome: "stale", result: { message: "", data: { commandNo: 3 } } }]);
});

test("what was held is told beside the outcome or after it, and the first word on it counts", () => {
  const commandId = "01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55";
  const released = event({ commandId }, "write.released");
  const stuck = event({ commandId }, "write.stuck");
  const answer = { commandId, outcome: null, release: { taken: true, message: "" } };
  expect(answersOf(writableEvents([released, stuck]))).toMatchObject([answer]);
  expect(
    answersOf(writableEvents([event({ commandId, outcome: "unknown" }, "command.done"), stuck])),
  ).toMatchObject([{ outcome: "unknown", release: { taken: false } }]);
  expect(answersOf(writableEvents([event({}, "write.stuck")]))).toEqual([]);
});

test("log records stand apart, with a level and a logger whatever was told", () => {
  const log = (data: GatewayEvent["data"]) => event(data, "log.record");
  const { told, logs } = splitLogs(
    writableEvents([
      event({ bootNo: 1 }, "gateway.started"),
      log({ level: "error", logger: "gateway.device", tries: 3 }),
      log({ level: "loud", logger: 7 }),
      log({ logger: "x".repeat(100) }),
    ]),
  );
  expect(told.map(({ code, position }) => [code, position])).toEqual([["gateway.started", 0]]);
  expect(logs.map(({ position, level, logger, data }) => [position, level, logger, data])).toEqual([
    [1, "error", "gateway.device", { tries: 3 }],
    [2, "info", "", {}],
    [3, "info", "x".repeat(64), {}],
  ]);
});
