import { AppError } from "@millrace/contract/error/app-error";
import type { FromHasher, ToHasher, Weakness } from "./message.ts";
import type { Work } from "./turnstile.ts";

interface Waiting {
  resolve(work: Work<Value>): void;
  reject(error: AppError): void;
}

type Asked =
  | { do: "hash"; password: string }
  | { do: "verify"; password: string; hash: string }
  | { do: "judge"; password: string; about: readonly string[] };
type Value = Extract<FromHasher, { value: unknown }>["value"];

/** The one thread that hashes. It begins with the first password, and anew after it ended by itself. */
export class HashThread implements Disposable {
  #worker: Worker | null = null;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;

  /** @throws AppError `internal.bug` when the hash cannot be read or the thread ends meanwhile */
  async hash(password: string): Promise<Work<string>> {
    return (await this.#ask({ do: "hash", password })) as Work<string>;
  }

  /** @throws AppError `internal.bug` when the hash cannot be read or the thread ends meanwhile */
  async verify(password: string, hash: string): Promise<Work<boolean>> {
    return (await this.#ask({ do: "verify", password, hash })) as Work<boolean>;
  }

  /** @returns why it would be guessed, null when it would not */
  async judge(password: string, about: readonly string[]): Promise<Work<Weakness | null>> {
    return (await this.#ask({ do: "judge", password, about })) as Work<Weakness | null>;
  }

  [Symbol.dispose](): void {
    this.#ended(this.#worker, "the hub stops");
  }

  #ask(asked: Asked): Promise<Work<Value>> {
    this.#worker ??= this.#begin();
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<Work<Value>>();
    this.#waiting.set(id, { resolve, reject });
    this.#worker.postMessage({ id, ...asked } satisfies ToHasher);
    return promise;
  }

  #begin(): Worker {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { smol: true });
    worker.unref();
    worker.onmessage = ({ data }: MessageEvent<FromHasher>) => this.#answered(data);
    worker.onerror = ({ message }) => this.#ended(worker, message);
    worker.addEventListener("close", () => this.#ended(worker, "it was closed"));
    return worker;
  }

  #answered(answer: FromHasher): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ("value" in answer) waiting?.resolve({ value: answer.value, cpuMs: answer.cpuMs });
    else
      waiting?.reject(new AppError("internal.bug", `A password hash is unreadable: ${answer.unreadable}.`));
  }

  #ended(worker: Worker | null, why: string): void {
    if (worker !== this.#worker) return;
    this.#worker = null;
    worker?.terminate();
    for (const one of this.#waiting.values())
      one.reject(new AppError("internal.bug", `The hashing thread ended: ${why}.`));
    this.#waiting.clear();
  }
}
