import { getLogger } from "@logtape/logtape";
import { asAppError } from "@millrace/contract/error/app-error";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import { valueToJson } from "@millrace/contract/vocabulary/value";
import { EVENT, type GatewayEvent } from "@millrace/contract/wire/event";
import { performWrite, type WriteDeps } from "../commands/write.ts";
import type { HostOrder, Refusal } from "./write-requests.ts";

const log = getLogger(["gateway", "sparkplug"]);

/** Writes that wait for the one before; they live 10 s, so a longer queue would only expire. */
const WAITING_MAX = 16;
/** Events of refusals in one minute; the rest is only counted and told with the next one. */
const REFUSALS_TOLD = { most: 10, everyMs: 60_000 } as const;
const TEXT_MAX = 500;
const FACT_MAX = 250;

export interface HostWritesDeps extends WriteDeps {
  report: (event: GatewayEvent) => void;
  /** Where they come from, for people. */
  broker: string;
  /** A name for what is pressed, should it outlive this gateway. */
  newId: () => string;
}

/** Writes hosts ask for: by the same rules as those from the hub, one after the other, each told as an event. */
export class HostWrites {
  readonly #deps: HostWritesDeps;
  #turn: Promise<void> = Promise.resolve();
  #waiting = 0;
  #told = 0;
  #untold = 0;
  #windowMonoMs = Number.NEGATIVE_INFINITY;
  done = 0;
  refused = 0;

  constructor(deps: HostWritesDeps) {
    this.#deps = deps;
  }

  take(order: HostOrder): void {
    const { seat, tag } = order.metric;
    if (this.#waiting >= WAITING_MAX) {
      this.refuse({ device: seat.id, metric: tag.name, why: `${WAITING_MAX} writes wait already` });
      return;
    }
    this.#waiting++;
    this.#turn = this.#turn
      .then(() => this.#perform(order))
      .catch((thrown: unknown) =>
        this.refuse({ device: seat.id, metric: tag.name, why: asAppError(thrown).message }),
      )
      .finally(() => {
        this.#waiting--;
      });
  }

  /** When all that was taken is over. */
  settled(): Promise<void> {
    return this.#turn;
  }

  async #perform({ metric, value, expiresMonoMs }: HostOrder): Promise<void> {
    const { clock, broker, newId } = this.#deps;
    const { seat, tag } = metric;
    // A host says what shall be, not what it saw: what this gateway knows stands in for it.
    const expected = metric.quality === QUALITY.good ? valueToJson(metric.value) : null;
    const { message, facts, outcome } = await performWrite(
      this.#deps,
      {
        kind: "writeTag",
        tagNo: tag.tagNo,
        value,
        expected,
        by: [`a Sparkplug host at ${broker}`.slice(0, 200)],
      },
      { commandId: newId(), isLate: () => clock.monoMs() >= expiresMonoMs },
    );
    if (outcome === "done") this.done++;
    else this.refused++;
    const { tagNo = tag.tagNo, code = "", before = null, after = null, armedBy = null } = facts ?? {};
    const data = { tagNo, code, before, after, armedBy, outcome: outcome ?? "done" };
    this.#report(message, { device: seat.id, metric: tag.name, ...data }, seat.deviceId);
  }

  refuse({ device, metric, why }: Refusal): void {
    this.refused++;
    const now = this.#deps.clock.monoMs();
    if (now - this.#windowMonoMs >= REFUSALS_TOLD.everyMs) {
      this.#windowMonoMs = now;
      this.#told = 0;
    }
    if (++this.#told > REFUSALS_TOLD.most) {
      this.#untold++;
      return;
    }
    const untold = this.#untold;
    this.#untold = 0;
    const what = metric === "" ? device : `${metric} of ${device}`;
    const more = untold === 0 ? "" : ` ${untold} refusals before it were only counted.`;
    const message = `A Sparkplug host asked to write ${what}; refused: ${why}. Nothing was written.${more}`;
    log.warn("{message}", { message });
    this.#report(message, { device, metric, outcome: "refused", untold });
  }

  #report(message: string, facts: GatewayEvent["data"], deviceId?: string): void {
    const code = "sparkplug.commanded";
    // Names come from whoever publishes; an event that is too long would be taken by nobody.
    const data = Object.fromEntries(
      Object.entries(facts).map(([name, fact]) => [
        name,
        typeof fact === "string" ? fact.slice(0, FACT_MAX) : fact,
      ]),
    );
    this.#deps.report({
      timeMs: this.#deps.clock.nowMs(),
      code,
      severity: EVENT[code],
      message: message.slice(0, TEXT_MAX),
      ...(deviceId === undefined ? {} : { deviceId }),
      data,
    });
  }
}
