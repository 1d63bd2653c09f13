import { expect, test } from "bun:test";
import type { AppError } from "@millrace/contract/error/app-error";
import { systemClock } from "@millrace/contract/std/clock";
import type { DownlinkMessage } from "@millrace/contract/wire/downlink";
import type { FieldResult } from "@millrace/contract/wire/field";
import { LIMITS } from "@millrace/contract/wire/limits";
import { FieldLine } from "./field-line.ts";

const BODY = { kind: "connection", driver: "modbus", settings: { host: "plc" } } as const;
const RESULT: FieldResult = { kind: "connection", ok: true, shared: false, roundTripMs: 2 };

function rig(sends = true) {
  const sent: DownlinkMessage[] = [];
  const timers: { ms: number; run: () => void; live: boolean }[] = [];
  const clock = {
    ...systemClock,
    after(ms: number, run: () => void) {
      const timer = { ms, run, live: true };
      timers.push(timer);
      return () => {
        timer.live = false;
      };
    },
  };
  const line = new FieldLine(clock, (message) => {
    sent.push(message);
    return sends;
  });
  const leave = new AbortController();
  const ask = (body: Parameters<FieldLine["ask"]>[0] = BODY) =>
    line.ask(body, leave.signal).catch((error: AppError) => error.code);
  const idOf = (n: number) => (sent[n] as { requestId: string }).requestId;
  return { line, sent, timers, leave, ask, idOf };
}

test("the answer to its own question ends the wait, another one does not", async () => {
  const { line, sent, timers, ask, idOf } = rig();
  const asked = ask();
  expect(sent[0]).toMatchObject({ type: "field", limitMs: LIMITS.fieldAnswerMs, body: BODY });
  line.answered({ type: "fieldAnswer", requestId: BODY_ID, result: { ...RESULT, ok: false } });
  line.answered({ type: "fieldAnswer", requestId: idOf(0), result: RESULT });
  expect(await asked).toEqual(RESULT);
  expect(timers.every(({ live }) => !live)).toBe(true);
  expect([sent.length, line.busy]).toEqual([1, false]);
});
const BODY_ID = "01938f5e-7c1a-7b2e-9d30-000000000009";

test("one at a time, and the next after it", async () => {
  const { line, sent, ask, idOf } = rig();
  const first = ask();
  expect(await ask()).toBe("request.tooMany");
  line.answered({ type: "fieldAnswer", requestId: idOf(0), result: RESULT });
  await first;
  void ask();
  expect(sent.map(({ type }) => type)).toEqual(["field", "field"]);
});

test("a gateway that never answers costs the limit; it is told, and what it says later is dropped", async () => {
  const { line, sent, timers, ask, idOf } = rig();
  const asked = ask();
  expect(timers[0]!.ms).toBe(LIMITS.fieldMs);
  timers[0]!.run();
  expect(await asked).toBe("field.timeout");
  expect(sent[1]).toEqual({ type: "fieldCancel", requestId: idOf(0) });
  line.answered({ type: "fieldAnswer", requestId: idOf(0), result: RESULT });
  expect(line.busy).toBe(false);
});

test("whoever asked gone, the gateway is told; gone before, it is not even asked", async () => {
  const { sent, leave, ask } = rig();
  const asked = ask();
  leave.abort();
  expect(await asked).toBe("field.away");
  expect(sent.map(({ type }) => type)).toEqual(["field", "fieldCancel"]);
  expect(await ask()).toBe("field.away");
  expect(sent).toHaveLength(2);
});

test("the session gone, or the question not sent, there is nobody to wait for", async () => {
  const { line, ask } = rig();
  const asked = ask();
  line.gone();
  expect(await asked).toBe("field.away");
  const dropped = rig(false);
  expect(await dropped.ask()).toBe("field.away");
  expect(dropped.line.busy).toBe(false);
});

test("a question over the limit is not sent", async () => {
  const { sent, ask } = rig();
  const long = { ...BODY, settings: { host: "ü".repeat(LIMITS.fieldRequestBytesMax / 2) } };
  expect(await ask(long)).toBe("request.tooLarge");
  expect(sent).toEqual([]);
});
