import { describeAddress, type ModbusAddress } from "@millrace/contract/driver/modbus/address";
import { type AppError, asAppError } from "@millrace/contract/error/app-error";
import type { ErrorCode } from "@millrace/contract/error/code";
import { unreachable } from "@millrace/contract/std/assert";
import type { PointWrite, WriteOutcome } from "../../driver/driver.ts";
import { notWritten } from "../../driver/not-written.ts";
import { encodeWrite, type WriteRequest } from "./encode.ts";
import type { Answer } from "./reader.ts";

/**
 * What came of one write request: an answer, or a link that was lost after it had left; or it was not sent, because a
 * question before it was not answered.
 */
export type WriteAnswer = Answer | { at: "lost"; error: AppError } | { at: "unsent"; answer: Answer };
export type SendWrite = (request: WriteRequest, address: ModbusAddress) => Promise<WriteAnswer>;

type Failure = Extract<WriteOutcome, { done: false }>;

/** Exceptions by meaning (V1.1b3, 7); `maybe` where the unit may have acted before it told. */
const EXCEPTION: Readonly<Record<number, [code: ErrorCode, maybe: boolean, words: string]>> = {
  1: ["device.refused", false, "does not know this way of writing"],
  2: ["address.illegal", false, "does not know this address for writing"],
  3: ["device.refused", false, "refuses the value"],
  4: ["device.failed", true, "failed while it wrote"],
  5: ["device.busy", true, "has taken the write and is not done with it"],
  6: ["device.busy", false, "is busy and did not write"],
  10: ["device.unreachable", false, "cannot be reached behind its converter"],
  11: ["device.unreachable", true, "did not answer its converter"],
};

/**
 * Writes in the order given, one request each, none twice. After one that may or may not have arrived nothing more is
 * sent: what comes later may rest on what comes first.
 */
export async function writeAll(
  points: readonly PointWrite<ModbusAddress>[],
  send: SendWrite,
): Promise<WriteOutcome[]> {
  const outcomes: WriteOutcome[] = [];
  let over: Failure | null = null;
  let sent = false;
  for (const { id, address, value } of points) {
    const request = over === null ? requestOf(id, address, value) : { ...over, id, maybe: false };
    if ("done" in request) {
      outcomes.push(request);
      continue;
    }
    let outcome: WriteOutcome;
    try {
      outcome = outcomeOf(id, address, await send(request, address));
      sent = true;
    } catch (thrown) {
      if (!sent) throw thrown;
      const { code, message } = asAppError(thrown, "link.lost");
      outcome = { id, done: false, maybe: false, code, message };
      over = outcome;
    }
    if (!outcome.done && outcome.maybe) over = { ...outcome, message: `Not written: ${outcome.message}` };
    outcomes.push(outcome);
  }
  return outcomes;
}

function requestOf(
  id: number,
  address: ModbusAddress,
  value: PointWrite["value"],
): WriteRequest | WriteOutcome {
  try {
    return encodeWrite(address, value);
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    return notWritten(id, "request.invalid", `Not written: ${thrown.message}.`);
  }
}

function outcomeOf(id: number, address: ModbusAddress, answer: WriteAnswer): WriteOutcome {
  const where = `Unit ${address.unit}`;
  const failed = (code: ErrorCode, maybe: boolean, message: string) =>
    notWritten(id, code, maybe ? `${message} It may have the value.` : message, maybe);
  switch (answer.at) {
    case "data":
      return { id, done: true };
    case "exception": {
      const [code, maybe, words] = EXCEPTION[answer.code] ?? ["device.failed", true, "failed"];
      return failed(code, maybe, `${where} ${words}: ${describeAddress(address)}, exception ${answer.code}.`);
    }
    case "timeout":
      return failed("device.timeout", true, `${where} did not answer within ${address.rules.timeoutMs} ms.`);
    case "garbled":
      return failed("link.garbled", true, `${where} answered ${answer.why}.`);
    case "unsent": {
      const why = answer.answer.at === "garbled" ? `: ${answer.answer.why}` : "";
      const code = why === "" ? "device.timeout" : "link.garbled";
      return failed(code, false, `Not written: ${where} did not answer a question before${why}.`);
    }
    case "lost":
      return failed(answer.error.code, true, answer.error.message);
    default:
      return unreachable(answer);
  }
}
