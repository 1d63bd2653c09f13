import { asAppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import type { EventCode, GatewayEvent } from "@millrace/contract/wire/event";
import {
  isPin,
  type KeptPin,
  PIN,
  pinProblem,
  plainPin,
  type RandomBytes,
  readPin,
  writePin,
} from "./pin.ts";
import { type Session, Sessions } from "./sessions.ts";
import { type Lock, neighbourOf, TRIES, Tries } from "./tries.ts";

/** Checks that may wait: each takes memory and a core for a moment, and polling must not notice. */
const WAITING_MAX = 8;
export const NAME_CHARS_MAX = 60;
/** Refusals told one by one in a quarter of an hour; the rest are counted and told with the next. */
const REFUSALS_TOLD_MAX = 30;

export interface AccessInput {
  folder: string;
  clock: Clock;
  randomBytes: RandomBytes;
  tell: Tell;
  /** A lock began; the hub should hear of it before the next heartbeat. */
  onChange: () => void;
}

/** Puts an event of the local page into lane E. */
export type Tell = (
  code: Extract<EventCode, `${"local" | "commissioning" | "writing" | "lockout"}.${string}`>,
  message: string,
  data: GatewayEvent["data"],
  deviceId?: string,
) => void;

export type Refusal =
  | { at: "wrong"; triesLeft: number }
  | { at: "locked"; lock: Lock }
  | { at: "busy" }
  /** The PIN cannot be read, or there is none. */
  | { at: "broken"; message: string }
  | { at: "unfit"; message: string };
export type SignedIn = { at: "open"; token: string; session: Session };

/** What came of looking at a PIN. */
type Checked = { at: "right"; kept: KeptPin } | Refusal;

/** Who may do what at the local page. The PIN is read anew each time, so that a reset at the machine counts at once. */
export class AccessDesk {
  readonly #input: AccessInput;
  readonly #tries: Tries;
  readonly #sessions: Sessions;
  #pinHash = "";
  #waiting = 0;
  /** One check at a time: no number of tries side by side can be more than are counted. */
  #turn: Promise<unknown> = Promise.resolve();
  #reading: Promise<unknown> = Promise.resolve();
  #told: number[] = [];
  #untold = 0;

  constructor(input: AccessInput) {
    this.#input = input;
    this.#tries = new Tries(input.clock);
    this.#sessions = new Sessions(input.clock, input.randomBytes);
  }

  async signIn(pin: string, asName: string, address: string): Promise<SignedIn | Refusal> {
    const name = cleanName(asName);
    if (name === "") return { at: "unfit", message: "Write your name: it stands beside what you do here." };
    const checked = await this.#check(pin, address);
    if (checked.at !== "right") return checked;
    const { hash, first } = checked.kept;
    const opened = this.#sessions.open({ name, address, pinHash: hash, mustChoose: first });
    this.#input.tell("local.signedIn", `${name} signed in at the gateway's page from ${address}.`, {
      name,
      address,
    });
    return { at: "open", ...opened };
  }

  /** @param byPerson false for a page that renews itself */
  async session(token: string, byPerson: boolean): Promise<Session | null> {
    await this.#kept().catch(() => null);
    return this.#sessions.find(token, byPerson);
  }

  signOut(session: Session): void {
    this.#sessions.end(session);
    const { name, address } = session;
    this.#input.tell("local.signedOut", `${name} signed out of the gateway's page.`, { name, address });
  }

  /** Chooses another PIN and signs everybody out but this one, who gets a new session. */
  async choosePin(session: Session, present: string, next: string): Promise<SignedIn | Refusal> {
    const { folder, clock, tell } = this.#input;
    const chosen = plainPin(next);
    const problem = pinProblem(chosen);
    if (problem !== null) return { at: "unfit", message: problem };
    if (!session.mustChoose) {
      const checked = await this.#check(present, session.address);
      if (checked.at !== "right") return checked;
    }
    const before = await this.#kept().catch(() => null);
    if (before !== null && (await isPin(before, chosen)))
      return { at: "unfit", message: "That is the present PIN. Choose another." };
    const { hash } = await writePin(folder, chosen, false, clock.nowMs());
    await this.#kept();
    const { name, address } = session;
    tell("local.pinChanged", `${name} chose another PIN for the gateway's page.`, { name, address });
    return { at: "open", ...this.#sessions.open({ name, address, pinHash: hash, mustChoose: false }) };
  }

  /** Tells of a refusal, within bounds: a stranger must not fill the buffer with them. */
  refused(reason: "wrongPin" | "locked" | "crossSite", address: string): void {
    const now = this.#input.clock.monoMs();
    this.#told = this.#told.filter((at) => now - at < TRIES.windowMs);
    if (this.#told.length >= REFUSALS_TOLD_MAX) {
      this.#untold++;
      return;
    }
    this.#told.push(now);
    const more = this.#untold === 0 ? "" : ` ${this.#untold} more before it were not told.`;
    this.#input.tell("local.refused", `${REFUSED[reason]} Sent from ${address}.${more}`, {
      reason,
      address,
      untold: this.#untold,
    });
    this.#untold = 0;
  }

  /** Until when somebody is locked out, gateway's time in ms; null when nobody is. */
  lockedUntilMs(): number | null {
    const leftMs = this.#tries.lockedMs();
    return leftMs > 0 ? Math.round(this.#input.clock.nowMs() + leftMs) : null;
  }

  lockOf(address: string): Lock | null {
    return this.#tries.lockOf(neighbourOf(address));
  }

  #check(pin: string, address: string): Promise<Checked> {
    if (this.#waiting >= WAITING_MAX) return Promise.resolve({ at: "busy" });
    this.#waiting++;
    const checked = this.#turn
      .then(() => this.#checkNow(pin, address))
      .finally(() => {
        this.#waiting--;
      });
    this.#turn = checked.catch(() => undefined);
    return checked;
  }

  async #checkNow(pin: string, address: string): Promise<Checked> {
    const kept = await this.#kept().catch((thrown) => asAppError(thrown));
    if (kept === null) return { at: "broken", message: NO_PIN };
    if ("code" in kept) return { at: "broken", message: kept.message };
    const neighbour = neighbourOf(address);
    const lock = this.#tries.lockOf(neighbour);
    if (lock !== null) {
      this.refused("locked", address);
      return { at: "locked", lock };
    }
    if (pin.length <= PIN.charsMax * 2 && (await isPin(kept, pin))) {
      this.#tries.right(neighbour);
      return { at: "right", kept };
    }
    const { locked, left } = this.#tries.wrong(neighbour);
    this.refused("wrongPin", address);
    if (locked === null) return { at: "wrong", triesLeft: left };
    const minutes = TRIES.lockMs / 60_000;
    const who = locked === "address" ? address : "every address that was not signed in today";
    this.#input.tell(
      "local.locked",
      `Too many wrong PINs at the gateway's page: ${who} is locked out for ${minutes} min.`,
      { scope: locked, address, minutes },
    );
    this.#input.onChange();
    return { at: "locked", lock: { scope: locked, leftMs: TRIES.lockMs } };
  }

  /**
   * In turn, so that what was read earlier is never taken for newer.
   * @throws AppError when the file is damaged; null when there is none
   */
  #kept(): Promise<KeptPin | null> {
    const kept = this.#reading.then(() => this.#readNow());
    this.#reading = kept.catch(() => undefined);
    return kept;
  }

  async #readNow(): Promise<KeptPin | null> {
    const kept = await readPin(this.#input.folder);
    const hash = kept?.hash ?? "";
    if (hash === this.#pinHash) return kept;
    this.#pinHash = hash;
    this.#tries.forget();
    this.#sessions.endOthers(hash);
    return kept;
  }
}

const NO_PIN = "This gateway has no PIN any more. Make one at the machine with reset-pin.";
const REFUSED = {
  wrongPin: "A wrong PIN was refused at the gateway's page.",
  locked: "A try to sign in was refused at the gateway's page: locked out.",
  crossSite: "A form from another site was refused at the gateway's page.",
} as const;

const cleanName = (name: string): string =>
  name
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "")
    .toWellFormed()
    .trim()
    .slice(0, NAME_CHARS_MAX);
