import type { MqttAddress } from "@millrace/contract/driver/mqtt/address";
import { asAppError } from "@millrace/contract/error/app-error";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import type { TagValue } from "@millrace/contract/vocabulary/value";
import type { PointWrite, Reading, WriteOutcome } from "../../driver/driver.ts";
import type { Taken } from "../../driver/mqtt-wire/wire.ts";
import { notWritten } from "../../driver/not-written.ts";
import { payloadOf } from "./payload.ts";

export interface WriterDeps {
  /** How long a device has to report what it was told, ms. */
  reportMs: number;
  /** @throws AppError `link.lost` while there is no link */
  mustBeUp(): void;
  /** Hears what the device reports from now on. The subscription goes out at once, before anything that follows. */
  listen(point: PointWrite<MqttAddress>, heard: (reading: Reading) => void): { end(): void };
  /** Null when the broker did not confirm it in time; nothing goes out without a link. @throws AppError when the link goes */
  send(topic: string, payload: Uint8Array): Promise<Taken | null>;
  /** Until `done` is called or the time is over. @throws when the link goes */
  orEnd(msMax: number, begin: (done: () => void) => void): Promise<void>;
}

/**
 * Tells devices values, one after the other, each message once. A broker's confirmation says that it has the message and
 * nothing of the device; a write is done when the device reports the value at the tag's own topic.
 * @throws AppError when nothing at all was sent
 */
export async function writeAll(
  points: readonly PointWrite<MqttAddress>[],
  deps: WriterDeps,
): Promise<WriteOutcome[]> {
  if (points.length > 0) deps.mustBeUp();
  const outcomes: WriteOutcome[] = [];
  let over: Extract<WriteOutcome, { done: false }> | null = null;
  for (const point of points) {
    if (over !== null) {
      outcomes.push(notWritten(point.id, over.code, `Not written: ${over.message}`));
      continue;
    }
    const outcome = await writeOne(point, deps);
    outcomes.push(outcome);
    if (!outcome.done && outcome.maybe) over = outcome;
  }
  return outcomes;
}

async function writeOne(point: PointWrite<MqttAddress>, deps: WriterDeps): Promise<WriteOutcome> {
  const { id, address, dataType, value } = point;
  const { command } = address;
  if (command === null)
    return notWritten(id, "request.invalid", "Not written: the address names no command topic (set=).");
  let payload: Uint8Array;
  try {
    payload = payloadOf(command, value, dataType);
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    return notWritten(id, "request.invalid", `Not written: ${thrown.message}.`);
  }
  const report = new Report(value);
  const listening = deps.listen(point, (reading) => report.hear(reading));
  try {
    const refusal = refusalOf(id, command.topic, await deps.send(command.topic, payload));
    if (refusal !== null) return refusal;
    await deps.orEnd(deps.reportMs, (done) => report.onAgreed(done));
    if (report.agreed) return { id, done: true };
    const message = `The broker took it, and the device reported ${report.other} within ${deps.reportMs} ms. It may have the value.`;
    return notWritten(id, "device.timeout", message, true);
  } catch (thrown) {
    const { code, message } = asAppError(thrown, "link.lost");
    return notWritten(id, code, `${message} It may have the value.`, true);
  } finally {
    listening.end();
  }
}

/** Why it did not reach a device, or may not have; null when the broker has passed it on. */
function refusalOf(id: number, topic: string, taken: Taken | null): WriteOutcome | null {
  if (taken === null)
    return notWritten(
      id,
      "device.timeout",
      "The broker did not confirm it. The device may have the value.",
      true,
    );
  switch (taken.at) {
    case "unsent":
      return notWritten(
        id,
        "link.lost",
        "Not written: the link to the broker is gone, or the time for it over.",
      );
    case "nobody":
      return notWritten(id, "device.unreachable", `Not written: nobody listens at ${topic}.`);
    case "refused":
      return notWritten(
        id,
        "device.refused",
        `Not written: the broker does not let this user send to ${topic} (reason ${taken.code}).`,
      );
    default:
      return null;
  }
}

/** What the device said since it was told. */
class Report {
  readonly #wanted: TagValue;
  #done = () => {};
  agreed = false;
  /** What it said instead, in words. */
  other = "nothing";

  constructor(wanted: TagValue) {
    this.#wanted = wanted;
  }

  hear({ value, quality }: Reading): void {
    if (quality !== QUALITY.good) return;
    this.agreed ||= value === this.#wanted;
    this.other = String(value).slice(0, 40);
    if (this.agreed) this.#done();
  }

  onAgreed(done: () => void): void {
    this.#done = done;
    if (this.agreed) done();
  }
}
