import { Me } from "@millrace/contract/api/person";
import type { Clock } from "@millrace/contract/std/clock";
import { asFault, type HubFault } from "../../error/fault.ts";
import type { HubClient } from "../../hub/client.ts";
import type { OfflineStore } from "../../offline/store.ts";

/** How long the last person may read stored values without the hub (`ux.md` S1). */
export const OFFLINE_SESSION_MS = 24 * 3_600_000;
const RETRY_MS = 5_000;

export type SessionState =
  | { at: "checking" }
  | { at: "setupNeeded" }
  | { at: "signedOut" }
  | { at: "unreachable"; fault: HubFault }
  | { at: "signedIn"; me: Me; offline: boolean };

/** Who sits in front of this screen. Never guesses: without the hub it is the last person, marked as offline. */
export class SessionController {
  state: SessionState = $state.raw({ at: "checking" });
  readonly #client: HubClient;
  readonly #store: OfflineStore;
  readonly #clock: Clock;
  #checking = false;
  #cancelRetry: (() => void) | null = null;

  constructor(deps: { client: HubClient; store: OfflineStore; clock: Clock }) {
    this.#client = deps.client;
    this.#store = deps.store;
    this.#clock = deps.clock;
  }

  /** Asks the hub who we are. Safe to call often: a check in progress is not doubled. */
  async check(): Promise<void> {
    if (this.#checking) return;
    this.#checking = true;
    this.#cancelRetry?.();
    try {
      await this.#take(await this.#client.me());
    } catch (thrown) {
      await this.#refused(asFault(thrown));
    } finally {
      this.#checking = false;
    }
  }

  /** @throws HubFault when the hub refuses. */
  async signIn(email: string, password: string): Promise<void> {
    await this.#client.signIn(email, password);
    await this.#take(await this.#client.me());
  }

  /** Signs out here even when the hub cannot be told: the stored values go in either case. */
  async signOut(): Promise<void> {
    await this.#client.signOut().catch(() => undefined);
    await this.#store.clear();
    this.state = { at: "signedOut" };
  }

  async #take(me: Me): Promise<void> {
    this.state = { at: "signedIn", me, offline: false };
    await this.#store.saveList("me", me, this.#clock.nowMs());
  }

  async #refused(fault: HubFault): Promise<void> {
    if (fault.code === "auth.required") {
      await this.#store.clear();
      const setup = await this.#client.setupState().catch(() => ({ needed: false }));
      this.state = setup.needed ? { at: "setupNeeded" } : { at: "signedOut" };
      return;
    }
    if (this.state.at === "signedIn") {
      if (fault.code === "web.unreachable") this.state = { ...this.state, offline: true };
      return;
    }
    const saved = await this.#store.list("me", Me);
    if (saved !== null && this.#clock.nowMs() - saved.savedMs <= OFFLINE_SESSION_MS) {
      this.state = { at: "signedIn", me: saved.body, offline: true };
      return;
    }
    this.state = { at: "unreachable", fault };
    this.#cancelRetry = this.#clock.after(RETRY_MS, () => void this.check());
  }
}
