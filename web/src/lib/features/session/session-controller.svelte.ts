import { Me } from "@millrace/contract/api/person";
import type { Clock } from "@millrace/contract/std/clock";
import { asFault, type HubFault } from "../../error/fault.ts";
import type { HubClient } from "../../hub/client.ts";
import type { OfflineStore } from "../../offline/store.ts";

/** How long the last person may read stored values without the hub (`ux.md` S1). */
export const OFFLINE_SESSION_MS = 24 * 3_600_000;
const RETRY_MS = 5_000;

/** Why nobody is signed in: nobody was, they went, the hub ended the session, or nobody was at the shared tablet. */
export type SignedOutWhy = "none" | "left" | "ended" | "idle";

export type SessionState =
  | { at: "checking" }
  | { at: "setupNeeded" }
  | { at: "signedOut"; why: SignedOutWhy }
  | { at: "unreachable"; fault: HubFault }
  | { at: "signedIn"; me: Me; offline: boolean };

/** Who sits in front of this screen. Never guesses: without the hub it is the last person, marked as offline. */
export class SessionController {
  state: SessionState = $state.raw({ at: "checking" });
  readonly #client: HubClient;
  readonly #store: OfflineStore;
  readonly #clock: Clock;
  #checking = false;
  /** Counts who comes and goes, so that an answer about the one before is not taken for the next. */
  #turn = 0;
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
    const turn = this.#turn;
    try {
      const me = await this.#client.me();
      if (turn === this.#turn) await this.#take(me);
    } catch (thrown) {
      if (turn === this.#turn) await this.#refused(asFault(thrown), turn);
    } finally {
      this.#checking = false;
    }
  }

  /** After a way in was gone through to its end: the cookie is set. @throws HubFault */
  async enter(): Promise<void> {
    this.#turn += 1;
    const me = await this.#client.me();
    await this.#store.clear();
    await this.#take(me);
  }

  /** Signs out here even when the hub cannot be told: the stored values go in either case. */
  async signOut(why: "left" | "idle" = "left"): Promise<void> {
    this.#turn += 1;
    await this.#client.tell({ method: "POST", path: "/api/v1/sign-out", body: {} }).catch(() => undefined);
    this.state = { at: "signedOut", why };
    await this.#store.clear();
  }

  async #take(me: Me): Promise<void> {
    this.state = { at: "signedIn", me, offline: false };
    // A shared tablet starts with nobody: without the hub it must not open as whoever was last.
    if (me.session?.idleS == null) await this.#store.saveList("me", me, this.#clock.nowMs());
  }

  /** @param turn whose answer this is: while it is looked into somebody may come in, and then it says nothing any more */
  async #refused(fault: HubFault, turn: number): Promise<void> {
    if (fault.code === "auth.required") {
      const { state } = this;
      // The screen goes first: no value may stand there as live while the hub is asked for more.
      if (state.at === "signedIn") this.state = { at: "signedOut", why: "ended" };
      await this.#store.clear();
      if (state.at === "signedIn" || state.at === "signedOut") return;
      const setup = await this.#client.setupState().catch(() => ({ needed: false }));
      if (turn !== this.#turn) return;
      this.state = setup.needed ? { at: "setupNeeded" } : { at: "signedOut", why: "none" };
      return;
    }
    if (this.state.at === "signedIn") {
      if (fault.code === "web.unreachable") this.state = { ...this.state, offline: true };
      return;
    }
    if (this.state.at === "signedOut") return;
    const saved = await this.#store.list("me", Me);
    if (turn !== this.#turn) return;
    if (saved !== null && this.#clock.nowMs() - saved.savedMs <= OFFLINE_SESSION_MS) {
      this.state = { at: "signedIn", me: saved.body, offline: true };
      return;
    }
    this.state = { at: "unreachable", fault };
    this.#cancelRetry = this.#clock.after(RETRY_MS, () => void this.check());
  }
}
