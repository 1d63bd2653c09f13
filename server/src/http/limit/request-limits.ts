import { asAppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import { LIVE_PATH } from "@millrace/contract/wire/live";
import { ROUTE } from "@millrace/contract/wire/route";
import { Counter, type Registry } from "prom-client";
import type { Gatekeeper } from "../access.ts";
import { addressBucket } from "../address.ts";
import { whoOf } from "../principal.ts";
import { createRate, type Rate } from "./rate.ts";

/** Names remembered by each limit: some 100 bytes a name. */
const NAMES_MAX = 10_000;

/**
 * How many requests are taken. A plant may sit behind one address, so an address may do what twenty people with a
 * screen each do; an account what a program in a hurry does. The settings raise both.
 */
export const REQUESTS = {
  addressPer10S: 3_000,
  accountPer10S: 2_000,
  /** Gateways knocking from one address: a thousand that come back at once, and once more. */
  uplink: { perSecond: 200, burst: 2_000, namesMax: NAMES_MAX },
  /** Browsers opening a live socket from one address. */
  live: { perSecond: 10, burst: 200, namesMax: NAMES_MAX },
  /** Sign-ins begun by passkey or single sign-on, each of which is kept for minutes: every sign-in page asks for one. */
  challenge: { perSecond: 5, burst: 200, namesMax: NAMES_MAX },
} as const;

export type LimitName = "address" | "account" | "uplink" | "live" | "challenge" | "sockets";

export interface RequestLimits {
  /** At each request, before anything else is done for it. @throws AppError `request.tooMany` */
  arrived(path: string, address: string): void;
  /** The gatekeeper that also counts what an account does. */
  counting(gatekeeper: Gatekeeper): Gatekeeper;
  /** Counts a refusal made elsewhere. */
  refused(limit: LimitName): void;
}

export interface RequestLimitDeps {
  clock: Clock;
  registry: Registry;
  addressPer10S: number;
  accountPer10S: number;
}

/** Wakes nobody up to learn that the hub lives; it must not be refused to whoever watches over it. */
const FREE = "/livez";

/** What a stranger asks for and the hub then keeps. */
const CHALLENGES: ReadonlySet<string> = new Set(["/api/v1/sign-in/passkey/options", "/api/v1/sign-in/sso"]);

export function createRequestLimits(deps: RequestLimitDeps): RequestLimits {
  const { clock, registry } = deps;
  const per10S = (count: number): Rate =>
    createRate({ perSecond: count / 10, burst: count, namesMax: NAMES_MAX }, clock);
  const rates = {
    address: per10S(deps.addressPer10S),
    account: per10S(deps.accountPer10S),
    uplink: createRate(REQUESTS.uplink, clock),
    live: createRate(REQUESTS.live, clock),
    challenge: createRate(REQUESTS.challenge, clock),
  };
  const counter = new Counter({
    name: "millrace_hub_requests_limited_total",
    help: "Requests refused because too many came, by the limit they met",
    labelNames: ["limit"],
    registers: [registry],
  });
  const take = (limit: keyof typeof rates, name: string): void => {
    try {
      rates[limit].take(name);
    } catch (thrown) {
      counter.inc({ limit });
      throw asAppError(thrown);
    }
  };
  return {
    arrived(asked, address) {
      // The router takes a slash at the end too.
      const path = asked.replace(/\/$/, "");
      if (path === FREE) return;
      const name = addressBucket(address);
      if (path === ROUTE.uplink) return take("uplink", name);
      if (path === LIVE_PATH) take("live", name);
      if (CHALLENGES.has(path)) take("challenge", name);
      take("address", name);
    },
    counting: (gatekeeper) => ({
      ...gatekeeper,
      async whoIs(headers) {
        const principal = await gatekeeper.whoIs(headers);
        if (principal !== null) take("account", whoOf(principal));
        return principal;
      },
    }),
    refused: (limit) => counter.inc({ limit }),
  };
}
