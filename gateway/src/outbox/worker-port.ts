import { AppError } from "@millrace/contract/error/app-error";
import type { FromWorker, OutboxCall, OutboxCalls, OutboxReport } from "./message.ts";

/** Calls that may wait for the worker at once; more means it hangs, and memory must not pay for that. */
const CALLS_WAITING_MAX = 4_096;

interface Waiting {
  resolve(value: unknown): void;
  reject(error: AppError): void;
}

/** Typed calls to the outbox worker. Answers come in the order of the calls. */
export class WorkerPort {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #failure: AppError | null = null;

  constructor(onReport: (report: OutboxReport) => void, onCrash: (error: AppError) => void) {
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url));
    this.#worker.onmessage = (event: MessageEvent<FromWorker>) => {
      if ("report" in event.data) onReport(event.data.report);
      else this.#answered(event.data);
    };
    const crash = (what: string) => {
      if (this.#failure) return;
      this.#failure = new AppError("outbox.failed", `The outbox worker ended: ${what}.`);
      for (const one of this.#waiting.values()) one.reject(this.#failure);
      this.#waiting.clear();
      onCrash(this.#failure);
    };
    this.#worker.onerror = (event) => crash(event.message);
    this.#worker.addEventListener("close", () => crash("it was closed"));
  }

  #answered(message: Exclude<FromWorker, { report: OutboxReport }>): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.ok) waiting?.resolve(message.value);
    else
      waiting?.reject(
        new AppError(message.error.code, message.error.message, { context: message.error.context }),
      );
  }

  /** @throws AppError what the engine threw, or `outbox.failed` when the worker is gone. */
  call<C extends OutboxCall>(
    call: C,
    input: OutboxCalls[C]["in"],
    transfer: ArrayBuffer[] = [],
  ): Promise<OutboxCalls[C]["out"]> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#waiting.size >= CALLS_WAITING_MAX) {
      return Promise.reject(
        new AppError("outbox.failed", `${CALLS_WAITING_MAX} calls wait for the outbox worker.`),
      );
    }
    const id = this.#nextId++;
    const answer = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#worker.postMessage({ id, call, input }, transfer);
    return answer as Promise<OutboxCalls[C]["out"]>;
  }

  terminate(): void {
    this.#failure ??= new AppError("outbox.failed", "The outbox is closed.");
    this.#worker.terminate();
  }
}
