import type { Clock } from "@millrace/contract/std/clock";
import { isLoopback } from "@millrace/contract/std/loopback";

/** Wrong PINs that end in a lock, and how long that holds. */
export const TRIES = {
  perAddress: 5,
  /** From all strange addresses together. A machine's own console and whoever was in lately do not count. */
  perGateway: 20,
  windowMs: 15 * 60_000,
  lockMs: 15 * 60_000,
  /** Whoever signed in from an address is no stranger there for so long. */
  knownMs: 8 * 3_600_000,
  knownMax: 16,
} as const;

export type LockScope = "address" | "gateway";
export interface Lock {
  scope: LockScope;
  leftMs: number;
}

/** One neighbour, however many addresses it may give itself: an IPv4 address, or the 64 bits of an IPv6 network. */
export function neighbourOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, "").replace(/%.*$/, "");
  if (isLoopback(plain)) return "loopback";
  if (!plain.includes(":")) return plain;
  const [head = "", tail] = plain.toLowerCase().split("::");
  const groups = (text: string | undefined) => (text ? text.split(":") : []);
  const missing = Math.max(0, 8 - groups(head).length - groups(tail).length);
  const all = [...groups(head), ...Array.from({ length: missing }, () => "0"), ...groups(tail)];
  return `${all
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":")}::/64`;
}

/**
 * Counts wrong PINs. Each neighbour has tries of its own, so that a stranger locks out itself and not the technician;
 * strangers together have a number as well, or else many addresses were many tries. That second lock leaves out the
 * machine's own console and addresses from which somebody signed in today: they keep their own tries.
 *
 * Bounded by itself: strangers add at most `perGateway` neighbours in a window, and known ones are `knownMax`.
 */
export class Tries {
  readonly #clock: Clock;
  readonly #wrong = new Map<string, number[]>();
  readonly #lockedUntil = new Map<string, number>();
  readonly #known = new Map<string, number>();
  #strangers: number[] = [];
  #gatewayLockedUntil = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Why this neighbour may not try now; null when it may. */
  lockOf(neighbour: string): Lock | null {
    this.#forgetOld();
    const now = this.#clock.monoMs();
    const own = (this.#lockedUntil.get(neighbour) ?? 0) - now;
    if (own > 0) return { scope: "address", leftMs: own };
    const all = this.#gatewayLockedUntil - now;
    return all > 0 && this.#isStrange(neighbour) ? { scope: "gateway", leftMs: all } : null;
  }

  /** Counts a wrong PIN. @returns what it locked, and how many tries are left before it does */
  wrong(neighbour: string): { locked: LockScope | null; left: number } {
    const now = this.#clock.monoMs();
    const own = [...(this.#wrong.get(neighbour) ?? []), now];
    this.#wrong.set(neighbour, own);
    if (this.#isStrange(neighbour)) this.#strangers.push(now);
    const left = Math.max(0, TRIES.perAddress - own.length);
    if (this.#strangers.length >= TRIES.perGateway && this.#gatewayLockedUntil <= now) {
      this.#gatewayLockedUntil = now + TRIES.lockMs;
      this.#strangers = [];
      return { locked: "gateway", left: 0 };
    }
    if (left > 0) return { locked: null, left };
    this.#lockedUntil.set(neighbour, now + TRIES.lockMs);
    this.#wrong.delete(neighbour);
    return { locked: "address", left: 0 };
  }

  right(neighbour: string): void {
    this.#wrong.delete(neighbour);
    this.#known.delete(neighbour);
    this.#known.set(neighbour, this.#clock.monoMs() + TRIES.knownMs);
    const oldest = this.#known.keys().next().value;
    if (this.#known.size > TRIES.knownMax && oldest !== undefined) this.#known.delete(oldest);
  }

  /** Another PIN counts from now on: what was tried before says nothing about it. */
  forget(): void {
    this.#wrong.clear();
    this.#lockedUntil.clear();
    this.#known.clear();
    this.#strangers = [];
    this.#gatewayLockedUntil = 0;
  }

  /** How long anybody is still locked out; 0 when nobody is. */
  lockedMs(): number {
    this.#forgetOld();
    const now = this.#clock.monoMs();
    return Math.max(
      0,
      this.#gatewayLockedUntil - now,
      ...[...this.#lockedUntil.values()].map((at) => at - now),
    );
  }

  #isStrange(neighbour: string): boolean {
    return neighbour !== "loopback" && !this.#known.has(neighbour);
  }

  #forgetOld(): void {
    const now = this.#clock.monoMs();
    const young = (at: number) => now - at < TRIES.windowMs;
    for (const [neighbour, times] of this.#wrong) {
      const left = times.filter(young);
      if (left.length === 0) this.#wrong.delete(neighbour);
      else this.#wrong.set(neighbour, left);
    }
    for (const [neighbour, until] of this.#lockedUntil) if (until <= now) this.#lockedUntil.delete(neighbour);
    for (const [neighbour, until] of this.#known) if (until <= now) this.#known.delete(neighbour);
    this.#strangers = this.#strangers.filter(young);
  }
}
