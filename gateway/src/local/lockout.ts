import { join } from "node:path";
import { AppError, asAppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import { type Static, Type } from "@sinclair/typebox";
import { readChecked } from "../identity/checked-file.ts";
import { writeDurably } from "../identity/durable-file.ts";
import type { Tell } from "./access/desk.ts";

const LockoutState = Type.Object({
  on: Type.Boolean(),
  sinceMs: Type.Number(),
  /** Who set it; empty for nobody. */
  by: Type.String({ maxLength: 200 }),
});
export type LockoutState = Static<typeof LockoutState>;

const FILE = "lockout.json";
const OFF: LockoutState = { on: false, sinceMs: 0, by: "" };

export interface LockoutInput {
  folder: string;
  clock: Clock;
  tell: Tell;
  onChange: () => void;
}

/**
 * No write from afar reaches a machine while this is on: somebody may have a hand in it. It holds across restarts until
 * somebody at the page releases it, and it also holds when nobody can say any more whether it was on.
 */
export class Lockout {
  readonly #input: LockoutInput;
  #state: LockoutState;

  private constructor(input: LockoutInput, state: LockoutState) {
    this.#input = input;
    this.#state = state;
  }

  static async open(input: LockoutInput): Promise<Lockout> {
    const path = join(input.folder, FILE);
    const wrong = (what: string, cause?: unknown) =>
      new AppError("setting.wrong", `${path} is damaged (${what}).`, { cause, context: { path } });
    try {
      return new Lockout(input, (await readChecked(path, LockoutState, wrong)) ?? OFF);
    } catch (thrown) {
      const by = `nobody: ${asAppError(thrown).message}`.slice(0, 200);
      return new Lockout(input, { on: true, sinceMs: input.clock.nowMs(), by });
    }
  }

  /** True: nothing may be written to a machine from afar. */
  on(): boolean {
    return this.#state.on;
  }

  state(): LockoutState {
    return this.#state;
  }

  /** In force at once, also when the disk refuses to remember it. @throws what the disk says */
  async set(name: string): Promise<void> {
    const { clock, tell, onChange } = this.#input;
    this.#state = { on: true, sinceMs: clock.nowMs(), by: name };
    tell("lockout.set", `${name} locked out all writes from afar.`, { name });
    onChange();
    await this.#keep(this.#state);
  }

  /** Kept first: a power cut must not find it released that was not. @throws what the disk says */
  async release(name: string): Promise<void> {
    const state = { on: false, sinceMs: this.#input.clock.nowMs(), by: name };
    await this.#keep(state);
    this.#state = state;
    this.#input.tell("lockout.released", `${name} released the lockout of writes from afar.`, { name });
    this.#input.onChange();
  }

  #keep(state: LockoutState): Promise<void> {
    return writeDurably(join(this.#input.folder, FILE), `${JSON.stringify(state)}\n`);
  }
}
