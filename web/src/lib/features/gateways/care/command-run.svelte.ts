import type { GatewayCommand } from "@millrace/contract/api/command";
import { asFault, type HubFault } from "../../../error/fault.ts";
import type { Services } from "../../../services.ts";
import type { FleetClient } from "../fleet-client.ts";
import { isSettled } from "./command-words.ts";

const ASK_EVERY_MS = 500;
/** A gateway that restarts tells the outcome when it is back; longer than this nobody stands and waits. */
const WAIT_MS_MAX = 120_000;

/** `confirming`: the person was told what happens and has not agreed yet. */
export type CommandView =
  | { at: "idle" | "confirming" | "sending" }
  | { at: "waiting" | "ended"; command: GatewayCommand; reason: string }
  | { at: "failed"; fault: HubFault };

/** One thing a gateway is asked for: agreed to, sent once, and its outcome awaited. */
export class CommandRun {
  view: CommandView = $state.raw({ at: "idle" });
  readonly #clock: Services["clock"];
  readonly #fleet: Pick<FleetClient, "command" | "reasonOf">;
  #stop = new AbortController();

  constructor(clock: Services["clock"], fleet: Pick<FleetClient, "command" | "reasonOf">) {
    this.#clock = clock;
    this.#fleet = fleet;
  }

  get busy(): boolean {
    return this.view.at === "sending" || this.view.at === "waiting";
  }

  /** Tells the person first. */
  confirm(): void {
    if (!this.busy) this.view = { at: "confirming" };
  }

  leave(): void {
    if (this.view.at === "confirming") this.view = { at: "idle" };
  }

  /** Sends it and waits for the outcome. Never throws. */
  async start(send: () => Promise<GatewayCommand>): Promise<void> {
    if (this.busy) return;
    this.view = { at: "sending" };
    try {
      await this.#follow(await send());
    } catch (thrown) {
      if (!this.#stop.signal.aborted) this.view = { at: "failed", fault: asFault(thrown) };
    }
  }

  release(): void {
    this.#stop.abort();
  }

  async #follow(sent: GatewayCommand): Promise<void> {
    const untilMs = this.#clock.monoMs() + WAIT_MS_MAX;
    let command = sent;
    while (!isSettled(command) && this.#clock.monoMs() < untilMs) {
      this.view = { at: "waiting", command, reason: "" };
      await this.#clock.sleep(ASK_EVERY_MS, this.#stop.signal);
      // The hub may be away for a moment as well; the command is sent, so only its outcome is waited for.
      command = await this.#fleet.command(sent.id).catch(() => command);
    }
    const reason = command.state === "failed" ? await this.#fleet.reasonOf(command.id).catch(() => "") : "";
    this.view = { at: "ended", command, reason };
  }
}
