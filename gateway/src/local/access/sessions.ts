import { createHash } from "node:crypto";
import type { Clock } from "@millrace/contract/std/clock";
import type { RandomBytes } from "./pin.ts";

export const SESSION = {
  /** Without an act of a person; a page that renews itself is none. */
  idleMs: 15 * 60_000,
  absoluteMs: 8 * 3_600_000,
  /** One more ends the one that was idle longest. */
  countMax: 8,
} as const;

/** Somebody at the page. Lives in memory: a restart signs everybody out. */
export interface Session {
  /** As the person wrote it; nobody checks it. */
  readonly name: string;
  readonly address: string;
  /** Stands in every form of this session. */
  readonly formToken: string;
  /** Hash of the PIN it was opened with: another PIN ends it. */
  readonly pinHash: string;
  /** Signed in with a first PIN: nothing but choosing one is allowed. */
  readonly mustChoose: boolean;
  /** What the last act came to, told on the page it leads to. */
  told: { path: string; ok: boolean; text: string } | null;
}

interface Entry {
  session: Session;
  openedMonoMs: number;
  seenMonoMs: number;
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");
/** What is compared is a hash of the secret, so that the time of a look-up tells nothing of the secret. */
const keyOf = (token: string): string => createHash("sha256").update(token).digest("base64url");

export class Sessions {
  readonly #clock: Clock;
  readonly #randomBytes: RandomBytes;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock, randomBytes: RandomBytes) {
    this.#clock = clock;
    this.#randomBytes = randomBytes;
  }

  /** @returns the secret for the cookie, which is kept nowhere here */
  open(person: Pick<Session, "name" | "address" | "pinHash" | "mustChoose">): {
    token: string;
    session: Session;
  } {
    this.#endOld();
    if (this.#entries.size >= SESSION.countMax) this.#endIdlest();
    const token = text(this.#randomBytes(32));
    const session = { ...person, formToken: text(this.#randomBytes(16)), told: null };
    const now = this.#clock.monoMs();
    this.#entries.set(keyOf(token), { session, openedMonoMs: now, seenMonoMs: now });
    return { token, session };
  }

  /** @param byPerson an act of a person puts off the end; a page that renews itself does not */
  find(token: string, byPerson: boolean): Session | null {
    this.#endOld();
    const entry = this.#entries.get(keyOf(token));
    if (entry === undefined) return null;
    if (byPerson) entry.seenMonoMs = this.#clock.monoMs();
    return entry.session;
  }

  end(session: Session): void {
    for (const [key, entry] of this.#entries) if (entry.session === session) this.#entries.delete(key);
  }

  /** Another PIN counts: whoever came in with the one before must sign in again. */
  endOthers(pinHash: string): void {
    for (const [key, { session }] of this.#entries)
      if (session.pinHash !== pinHash) this.#entries.delete(key);
  }

  #endOld(): void {
    const now = this.#clock.monoMs();
    for (const [key, { openedMonoMs, seenMonoMs }] of this.#entries) {
      const over = now - openedMonoMs >= SESSION.absoluteMs || now - seenMonoMs >= SESSION.idleMs;
      if (over) this.#entries.delete(key);
    }
  }

  #endIdlest(): void {
    const [idlest] = [...this.#entries].sort(([, a], [, b]) => a.seenMonoMs - b.seenMonoMs);
    if (idlest !== undefined) this.#entries.delete(idlest[0]);
  }
}
