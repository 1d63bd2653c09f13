import type { TagWrite } from "@millrace/contract/api/write";
import type { JsonValue } from "@millrace/contract/vocabulary/value";
import { asFault, type HubFault } from "../../error/fault.ts";
import type { Services } from "../../services.ts";
import type { WriteClient } from "./write-client.ts";
import { isSettled } from "./write-words.ts";

const ASK_EVERY_MS = 500;
const AGREED_EVERY_MS = 2_000;
/** Longer than this nobody stands and waits; the list shows what comes later. */
const WAIT_MS_MAX = 20_000;

/** `choosing`: a value is entered. `chosen`: the hub keeps it, and nothing is written before it is carried out. */
export type WriteView =
  | { at: "idle" | "choosing" | "selecting" }
  | { at: "chosen" | "sending" | "ended"; write: TagWrite };

type Client = Pick<WriteClient, "select" | "one" | "execute">;

/** One write by one person, from the value to what the machine holds. */
export class WriteRun {
  view: WriteView = $state.raw({ at: "idle" });
  /** Why the last step was refused; the step can be tried again. */
  fault: HubFault | null = $state.raw(null);
  readonly #clock: Services["clock"];
  readonly #client: Client;
  #stop = new AbortController();

  constructor(clock: Services["clock"], client: Client) {
    this.#clock = clock;
    this.#client = client;
  }

  get busy(): boolean {
    return this.view.at === "selecting" || this.view.at === "sending";
  }

  begin(): void {
    if (this.busy) return;
    this.#anew({ at: "choosing" });
  }

  leave(): void {
    if (!this.busy) this.#anew({ at: "idle" });
  }

  release(): void {
    this.#stop.abort();
  }

  /** Never throws. */
  async select(value: JsonValue): Promise<void> {
    if (this.view.at !== "choosing") return;
    this.view = { at: "selecting" };
    try {
      const write = await this.#client.select(value);
      this.#anew({ at: "chosen", write });
      if (write.class === 3) void this.#awaitAgreement(write);
    } catch (thrown) {
      this.view = { at: "choosing" };
      this.fault = asFault(thrown);
    }
  }

  /** Carries it out and waits for the outcome; where the tag wants it, the client asks before who one is. Never throws. */
  async execute(): Promise<void> {
    if (this.view.at !== "chosen") return;
    const { write } = this.view;
    const { signal } = this.#stop;
    this.view = { at: "sending", write };
    try {
      const sent = await this.#client.execute(write.id);
      this.fault = null;
      await this.#follow(sent, signal);
    } catch (thrown) {
      if (signal.aborted) return;
      this.fault = asFault(thrown);
      // A choice that was spent or lapsed cannot be carried out again; who did not show who they are may still do so.
      const again = ["write.proof", "write.second", "request.tooMany"];
      if (again.includes(this.fault.code)) this.view = { at: "chosen", write };
      else await this.#lookOnce(write);
    }
  }

  #anew(view: WriteView): void {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.fault = null;
    this.view = view;
  }

  /** After a request whose answer never came: it may have been carried out. */
  async #lookOnce(write: TagWrite): Promise<void> {
    const now = await this.#client.one(write.id).catch(() => null);
    if (now === null || now.state === "selected" || now.state === "lapsed") this.view = { at: "choosing" };
    else await this.#follow(now, this.#stop.signal).catch(() => undefined);
  }

  async #follow(sent: TagWrite, signal: AbortSignal): Promise<void> {
    const untilMs = this.#clock.monoMs() + WAIT_MS_MAX;
    let write = sent;
    while (!isSettled(write) && this.#clock.monoMs() < untilMs) {
      this.view = { at: "sending", write };
      await this.#clock.sleep(ASK_EVERY_MS, signal);
      write = await this.#client.one(write.id).catch(() => write);
    }
    this.view = { at: "ended", write };
  }

  async #awaitAgreement(chosen: TagWrite): Promise<void> {
    const { signal } = this.#stop;
    let write = chosen;
    while (write.agreedBy === null && write.state === "selected" && !signal.aborted) {
      await this.#clock.sleep(AGREED_EVERY_MS, signal).catch(() => undefined);
      write = await this.#client.one(write.id).catch(() => write);
      if (!signal.aborted && this.view.at === "chosen") this.view = { at: "chosen", write };
    }
  }
}
