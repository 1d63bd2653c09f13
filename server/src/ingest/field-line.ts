import { AppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import type { DownlinkMessage } from "@millrace/contract/wire/downlink";
import type { FieldAnswer, FieldBody, FieldBus, FieldResult } from "@millrace/contract/wire/field";
import { LIMITS } from "@millrace/contract/wire/limits";

interface Open {
  requestId: string;
  settle(result: FieldResult): void;
  fail(error: AppError): void;
}

/**
 * Tests at devices over one session: one at a time, each with a time limit, none kept for later. Whatever ends the
 * wait, also whoever asked going away, is told to the gateway.
 */
export class FieldLine {
  #open: Open | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly send: (message: DownlinkMessage) => boolean,
  ) {}

  get busy(): boolean {
    return this.#open !== null;
  }

  /**
   * @param signal of whoever asked
   * @throws AppError `request.tooMany` | `request.tooLarge` | `field.away` | `field.timeout`
   */
  async ask(body: FieldBody | FieldBus, signal: AbortSignal): Promise<FieldResult> {
    if (this.busy) throw fieldBusy();
    const bytes = Buffer.byteLength(JSON.stringify(body));
    if (bytes > LIMITS.fieldRequestBytesMax) {
      throw new AppError(
        "request.tooLarge",
        `A test may have ${LIMITS.fieldRequestBytesMax} bytes as it is sent to the gateway; these are ${bytes}.`,
      );
    }
    if (signal.aborted) throw nobodyWaits();
    const requestId = Bun.randomUUIDv7();
    const giveUp = (error: AppError) => {
      if (this.#open?.requestId !== requestId) return;
      this.send({ type: "fieldCancel", requestId });
      this.#open.fail(error);
    };
    const onAbort = () => giveUp(nobodyWaits());
    signal.addEventListener("abort", onAbort, { once: true });
    const cancelLimit = this.clock.after(LIMITS.fieldMs, () => giveUp(noAnswer()));
    try {
      return await new Promise<FieldResult>((settle, fail) => {
        this.#open = { requestId, settle, fail };
        if (!this.send({ type: "field", requestId, limitMs: LIMITS.fieldAnswerMs, body }))
          fail(fieldAway("This gateway cannot be reached at the moment"));
      });
    } finally {
      this.#open = null;
      cancelLimit();
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** An answer nobody waits for any more is dropped. */
  answered({ requestId, result }: FieldAnswer): void {
    if (this.#open?.requestId === requestId) this.#open.settle(result);
  }

  /** The session ends, and with it the test. */
  gone(): void {
    this.#open?.fail(fieldAway("The gateway went away while the test ran"));
  }
}

/** Why there is nobody to ask. */
export const fieldAway = (what: string): AppError =>
  new AppError("field.away", `${what}; tests are not kept for later.`);

export const fieldBusy = (): AppError =>
  new AppError("request.tooMany", "This gateway runs another test at the moment; it takes one at a time.");

const nobodyWaits = (): AppError =>
  new AppError("field.away", "Whoever asked went away, and the test was ended.");

const noAnswer = (): AppError =>
  new AppError("field.timeout", `The gateway did not answer within ${LIMITS.fieldMs} ms.`);
