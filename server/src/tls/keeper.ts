import { getLogger } from "@logtape/logtape";
import type { HealthFinding } from "@millrace/contract/api/gateway-health";
import { asAppError } from "@millrace/contract/error/app-error";
import type { Clock, Random } from "@millrace/contract/std/clock";
import { Gauge, type Registry } from "prom-client";
import { repeat } from "../repeat.ts";
import { type CertificateFacts, factsOf, type TlsPair } from "./certificate.ts";
import type { CertificateSource } from "./source.ts";

const logger = getLogger(["hub", "tls"]);
const dayMs = 86_400_000;

/** Everybody hears of an end that is so near; a source that renews by itself has tried for long by then. */
const WARN_MS = 14 * dayMs;
/** An authority is replaced by a person, on each phone: that takes time. */
const AUTHORITY_WARN_MS = 365 * dayMs;

/** Waits after failures: doubling, spread, so that an authority's limit on failures is never met. */
export const RETRY_MS = { first: 5 * 60_000, max: 6 * 3_600_000 } as const;

export function retryMs(
  failures: number,
  random: Random,
  { first, max } = RETRY_MS as { first: number; max: number },
) {
  const fullMs = Math.min(max, first * 2 ** (failures - 1));
  return fullMs * (0.75 + random() / 2);
}

/** True when a certificate's end is near: two weeks, or a quarter of a short life. */
export const endsSoon = ({ notBeforeMs, notAfterMs }: CertificateFacts, nowMs: number): boolean =>
  notAfterMs - nowMs < Math.min(WARN_MS, (notAfterMs - notBeforeMs) / 4);

interface KeeperDeps {
  source: CertificateSource;
  clock: Clock;
  random: Random;
  registry: Registry;
  /** Serves with another certificate from now on. */
  swap: (pair: TlsPair) => void;
  retry?: { first: number; max: number };
}

/** Looks after the certificate while the hub runs: takes newer ones, and says in time when there is none. */
export class CertificateKeeper {
  #pair: TlsPair;
  #facts: CertificateFacts;
  #due: boolean;
  #failures = 0;
  #failure = "";
  #warned = false;
  #job: { stop(): Promise<void> } | null = null;

  private constructor(
    readonly deps: KeeperDeps,
    first: { pair: TlsPair; due: boolean },
  ) {
    this.#pair = first.pair;
    this.#facts = factsOf(first.pair.cert);
    this.#due = first.due;
    new Gauge({
      name: "millrace_hub_certificate_expiry_seconds",
      help: "When the hub's certificate ends, Unix time",
      registers: [deps.registry],
      collect: () => {},
    }).set(this.#facts.notAfterMs / 1_000);
  }

  static async open(deps: KeeperDeps): Promise<CertificateKeeper> {
    return new CertificateKeeper(deps, await deps.source.first());
  }

  get kind() {
    return this.deps.source.kind;
  }

  get authorities(): readonly string[] {
    return this.deps.source.authorities;
  }

  get pair(): TlsPair {
    return this.#pair;
  }

  get facts(): CertificateFacts {
    return this.#facts;
  }

  start(): void {
    const { clock, source } = this.deps;
    this.#warnOnce();
    this.#job = repeat(clock, this.#due ? 0 : source.lookMs, () => this.#look());
  }

  async stop(): Promise<void> {
    await this.#job?.stop();
  }

  /** What a person must know of it now. */
  findings(): HealthFinding[] {
    const nowMs = this.deps.clock.nowMs();
    const found: HealthFinding[] = [];
    if (this.#due)
      found.push({
        code: "certificate.temporary",
        severity: "error",
        message: "The hub serves with a certificate nobody trusts until the authority gives one.",
        nextStep: "Look at the failure below, and that the authority reaches this hub's plain port.",
      });
    else if (endsSoon(this.#facts, nowMs)) found.push(ending(this.#facts, nowMs));
    if (this.#failure !== "")
      found.push({
        code: "certificate.failed",
        severity: "warning",
        message: this.#failure,
        nextStep: "Correct the cause; the hub tries again by itself.",
      });
    for (const authority of this.authorities) {
      if (factsOf(authority).notAfterMs - nowMs >= AUTHORITY_WARN_MS) continue;
      found.push({
        code: "authority.ending",
        severity: "warning",
        message: `The authority ends at ${new Date(factsOf(authority).notAfterMs).toISOString()}.`,
        nextStep: "Plan a new one: every phone and browser must learn it by hand.",
      });
    }
    return found;
  }

  async #look(): Promise<number> {
    const { source, random, swap, retry } = this.deps;
    let waitMs = source.lookMs;
    try {
      const pair = await source.renew(this.#pair);
      if (pair !== null) {
        swap(pair);
        this.#take(pair);
      }
      this.#failures = 0;
      this.#failure = "";
    } catch (thrown) {
      const { code, message } = asAppError(thrown);
      if (message !== this.#failure) logger.error("No new certificate: {message}", { code, message });
      this.#failure = message;
      this.#failures++;
      // Looking at our own files costs nothing, so it goes on at its pace.
      if (source.kind === "acme") waitMs = retryMs(this.#failures, random, retry);
    }
    this.#warnOnce();
    return waitMs;
  }

  #take(pair: TlsPair): void {
    this.#pair = pair;
    this.#facts = factsOf(pair.cert);
    this.#due = false;
    this.#warned = false;
    const gauge = this.deps.registry.getSingleMetric("millrace_hub_certificate_expiry_seconds") as Gauge;
    gauge.set(this.#facts.notAfterMs / 1_000);
    logger.info("A new certificate is in use, until {until}", {
      event: "certificate.changed",
      until: new Date(this.#facts.notAfterMs).toISOString(),
    });
  }

  #warnOnce(): void {
    const nowMs = this.deps.clock.nowMs();
    if (this.#warned || !endsSoon(this.#facts, nowMs)) return;
    this.#warned = true;
    logger.warn("{message}", { event: "certificate.ending", message: ending(this.#facts, nowMs).message });
  }
}

function ending({ notAfterMs }: CertificateFacts, nowMs: number): HealthFinding {
  const over = notAfterMs <= nowMs;
  return {
    code: over ? "certificate.ended" : "certificate.ending",
    severity: over ? "error" : "warning",
    message: `The hub's certificate ${over ? "ended" : "ends"} at ${new Date(notAfterMs).toISOString()}; gateways and browsers refuse it from then on.`,
    nextStep: "Give the hub a new one; changed files are taken without a restart.",
  };
}
