import type { S7Address } from "@millrace/contract/driver/s7/address";
import type { S7Rules } from "@millrace/contract/driver/s7/settings";
import { AppError, asAppError } from "@millrace/contract/error/app-error";
import { unreachable } from "@millrace/contract/std/assert";
import type { PointWrite, WriteOutcome } from "../../driver/driver.ts";
import { notWritten } from "../../driver/not-written.ts";
import { itemWords, refusalOf } from "./causes.ts";
import { encode } from "./codec.ts";
import type { Layout } from "./layout.ts";
import { timeoutError } from "./reader.ts";
import { ITEM_BYTES, ITEM_HEAD_BYTES, ITEMS_MAX, OK, REQUEST_BYTES, type WriteItem } from "./wire.ts";

/** What came of one write request. A link that is lost before it was sent is thrown as AppError. */
export type WriteAnswer =
  | { at: "lost"; error: AppError }
  | { at: "codes"; codes: number[] }
  | { at: "refused"; error: number }
  | { at: "timeout" }
  | { at: "garbled"; why: string };

export type SendWrite = (items: readonly WriteItem[], timeoutMs: number) => Promise<WriteAnswer>;

/** A point with the bytes that shall be in the CPU. */
interface Ready {
  /** Place in the caller's list. */
  at: number;
  point: PointWrite<S7Address>;
  item: WriteItem;
}

/**
 * Writes in the order given, one request after the other. After a request without an answer nothing more is sent: what
 * comes later may rest on what comes first.
 */
export async function writeAll(
  points: readonly PointWrite<S7Address>[],
  { pduBytes, layout, send }: { pduBytes: number; layout: Layout; send: SendWrite },
): Promise<WriteOutcome[]> {
  const outcomes = new Map<number, WriteOutcome>();
  const ready: Ready[] = [];
  for (const [at, point] of points.entries()) {
    const made = prepare(point, pduBytes, layout);
    if ("bytes" in made) ready.push({ at, point, item: made });
    else outcomes.set(at, made);
  }
  let over: AppError | null = null;
  let isSent = false;
  for (const job of packWrites(ready, pduBytes)) {
    let told: WriteOutcome[] = [];
    if (over === null) {
      const { rules } = job[0]!.point.address;
      try {
        const answer = await send(
          job.map(({ item }) => item),
          rules.timeoutMs,
        );
        isSent = true;
        told = outcomesOf(job, answer);
        over = endOf(answer, rules);
      } catch (thrown) {
        if (!isSent) throw thrown;
        over = asAppError(thrown, "link.lost");
      }
    }
    for (const [index, { at, point }] of job.entries()) {
      const outcome = told[index] ?? notWritten(point.id, over!.code, `Not written: ${over!.message}`);
      outcomes.set(at, outcome);
    }
  }
  return points.map((_, at) => outcomes.get(at)!);
}

/** Why nothing more is sent after this answer; null when writing goes on. */
function endOf(answer: WriteAnswer, rules: S7Rules): AppError | null {
  if (answer.at === "lost") return answer.error;
  if (answer.at === "timeout") return timeoutError(rules);
  return answer.at === "garbled" ? new AppError("link.garbled", `The CPU answered ${answer.why}.`) : null;
}

function prepare(point: PointWrite<S7Address>, pduBytes: number, layout: Layout): WriteItem | WriteOutcome {
  const { id, address, value } = point;
  const changed = layout.changed(address.rules, address.db);
  if (changed !== undefined && address.area === "db")
    return notWritten(id, "device.refused", `Not written: ${changed}.`);
  try {
    const { skip, bytes } = encode(address, value);
    if (REQUEST_BYTES + ITEM_BYTES + ITEM_HEAD_BYTES + bytes.length > pduBytes)
      throw new RangeError(`${bytes.length} bytes do not fit into a telegram of ${pduBytes}`);
    const { area, db, start, bit } = address;
    const count = area === "timer" || area === "counter" || bit !== null ? 1 : bytes.length;
    return { area, db, start: start + skip, count, bit, bytes };
  } catch (thrown) {
    if (!(thrown instanceof Error)) throw thrown;
    return notWritten(id, "request.invalid", `Not written: ${thrown.message}.`);
  }
}

function packWrites(ready: readonly Ready[], pduBytes: number): Ready[][] {
  const jobs: Ready[][] = [];
  let freeBytes = 0;
  for (const one of ready) {
    const bytes = ITEM_BYTES + ITEM_HEAD_BYTES + one.item.bytes.length + (one.item.bytes.length & 1);
    const last = jobs.at(-1);
    if (last === undefined || bytes > freeBytes || last.length === ITEMS_MAX) {
      jobs.push([one]);
      freeBytes = pduBytes - REQUEST_BYTES - bytes;
    } else {
      last.push(one);
      freeBytes -= bytes;
    }
  }
  return jobs;
}

function outcomesOf(job: readonly Ready[], answer: WriteAnswer): WriteOutcome[] {
  return job.map(({ point: { id, address } }, index) => outcomeOf(id, address, answer, index));
}

function outcomeOf(id: number, address: S7Address, answer: WriteAnswer, index: number): WriteOutcome {
  switch (answer.at) {
    case "codes": {
      const code = answer.codes[index]!;
      if (code === OK) return { id, done: true };
      return notWritten(
        id,
        code === 3 ? "device.refused" : "address.illegal",
        `${itemWords(code, address)}.`,
      );
    }
    case "refused": {
      const { code, words } = refusalOf(answer.error, address.rules.family);
      return notWritten(id, code, `The CPU ${words}.`);
    }
    case "lost":
      return notWritten(id, answer.error.code, `${answer.error.message} It may have the value.`, true);
    case "timeout":
      return notWritten(
        id,
        "device.timeout",
        `${timeoutError(address.rules).message} It may have the value.`,
        true,
      );
    case "garbled":
      return notWritten(id, "link.garbled", `The CPU answered ${answer.why}. It may have the value.`, true);
    default:
      return unreachable(answer);
  }
}
