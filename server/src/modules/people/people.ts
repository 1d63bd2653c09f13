import type { AuditFrom } from "@millrace/contract/api/audit";
import { AppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import type { Db } from "../../db/client.ts";
import { ACCOUNT_LIMITS, ADDRESS_LIMITS, createThrottle, type Throttle } from "../../http/limit/throttle.ts";
import type { Principal } from "../../http/principal.ts";
import { CLIENT_HEADER, type PeerOf, requestFrom } from "../../http/request-from.ts";
import type { AccessFact } from "../audit/service.ts";
import type { Passwords } from "./hashing/password.ts";
import type { Cookies } from "./session/cookies.ts";

/** Who must have a second factor or a passkey: nobody, who may change people or the hub, or everybody. */
export type MfaPolicy = "off" | "administrators" | "all";

export interface PeopleDeps {
  db: Db;
  clock: Clock;
  passwords: Passwords;
  cookies: Cookies;
  /** Signs cookies, encrypts what authenticator apps share with us, and is part of each PIN's hash. */
  secret: string;
  mfa: MfaPolicy;
  /** Takes note of sign-ins and refusals for the audit; never rejects. */
  note: (fact: AccessFact) => Promise<void>;
  origins: () => readonly string[];
  publicUrl: () => string;
}

/** What everything about people needs. */
export interface People extends PeopleDeps {
  /** Wrong passwords by account, wrong codes by person. */
  accounts: Throttle;
  /** Wrong passwords, codes and tokens by network. */
  addresses: Throttle;
}

export function createPeople(deps: PeopleDeps): People {
  const { clock } = deps;
  return {
    ...deps,
    accounts: createThrottle(ACCOUNT_LIMITS, clock),
    addresses: createThrottle(ADDRESS_LIMITS, clock),
  };
}

export const SESSION = {
  /** Longest life of a session; it is not prolonged. */
  lifeS: 7 * 24 * 3_600,
  /** On a shared tablet: a shift. */
  sharedLifeS: 8 * 3_600,
  /** On a shared tablet: without a sign of its person. */
  sharedIdleS: 15 * 60,
  /** Sessions of one person at once; the oldest ends for the next. */
  perPersonMax: 10,
  /** How long somebody who showed who they are may change factors, make keys and edit people. */
  freshS: 10 * 60,
  /** How often "last seen" is written. */
  seenEveryMs: 60_000,
} as const;

/** Who asks, before anybody knows: the browser and the network. */
export interface Asker {
  headers: Headers;
  from: AuditFrom;
  /** What the browser says it is. */
  browser: string | null;
  /** The host it asked for. */
  host: string;
}

export const askerOf = (request: Request, server: PeerOf | null): Asker => ({
  headers: request.headers,
  from: requestFrom(request, server),
  browser: request.headers.get(CLIENT_HEADER),
  host: new URL(request.url).hostname,
});

/** What an action says to the browser, and the cookies it sets. */
export interface Answer<T> {
  body: T;
  cookies: readonly string[];
}

/**
 * A person with a session of their own.
 * @throws AppError `auth.forbidden` for a program or a kiosk
 */
export function personOf(principal: Principal): Principal & Required<Pick<Principal, "session">> {
  if (principal.kind === "person" && principal.session !== undefined)
    return { ...principal, session: principal.session };
  throw new AppError("auth.forbidden", "This is for people who signed in, not for programs.");
}

/**
 * Somebody who showed who they are a short while ago; a key shows it with every request.
 * @throws AppError `auth.fresh`
 */
export function requireFresh(principal: Principal, clock: Clock): void {
  if (principal.kind === "apiKey" || principal.kind === "hub") return;
  const untilMs = principal.session?.freshUntilMs ?? null;
  if (untilMs !== null && untilMs > clock.nowMs()) return;
  throw new AppError(
    "auth.fresh",
    `This takes somebody who showed who they are within ${SESSION.freshS / 60} minutes.`,
  );
}
