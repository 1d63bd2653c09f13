import { createHash, timingSafeEqual } from "node:crypto";
import { isLoopback } from "@millrace/contract/std/loopback";

/** Judgments over a request before anything else looks at it. Pure. */

const bareHost = (host: string): string =>
  (host.includes(":") && !host.startsWith("[") ? `[${host}]` : host).toLowerCase();

/** Host header without its port. */
const hostOf = (header: string): string => header.toLowerCase().replace(/:\d+$/, "");

/**
 * Names this page answers to. A foreign one is refused, so that a web page elsewhere cannot read this one by pointing
 * its own name at us (DNS rebinding).
 */
export const allowedHosts = (names: readonly string[]): ReadonlySet<string> =>
  new Set(["localhost", "127.0.0.1", "[::1]", ...names.map(bareHost)]);

export const isAllowedHost = (headers: Headers, allowed: ReadonlySet<string>): boolean =>
  allowed.has(hostOf(headers.get("host") ?? ""));

/**
 * True for a request that a page of ours sent. A browser says where a form stands by `Origin`, newer ones by
 * `Sec-Fetch-Site` as well; who says neither is no browser in front of a person and is refused too.
 */
export function isOwnForm(headers: Headers): boolean {
  const site = headers.get("sec-fetch-site");
  const origin = headers.get("origin");
  if (site === null && origin === null) return false;
  if (site !== null && site !== "same-origin") return false;
  return origin === null || URL.parse(origin)?.host === headers.get("host")?.toLowerCase();
}

/** Compares secrets of any length without telling by its time where they differ. */
export function isSame(one: string, other: string): boolean {
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(one), hash(other));
}

export function hasToken(headers: Headers, token: string | undefined): boolean {
  const [, sent] = /^bearer\s+(\S+)$/i.exec(headers.get("authorization") ?? "") ?? [];
  return token !== undefined && sent !== undefined && isSame(sent, token);
}

/** A program on this very machine, and not a proxy of ours that speaks for somebody else. */
export const isOwnMachine = (headers: Headers, address: string): boolean =>
  isLoopback(address.replace(/^::ffff:/i, "")) &&
  !headers.has("forwarded") &&
  !headers.has("x-forwarded-for");

const COOKIE = "millrace_local";
/** With TLS the browser itself holds the cookie to this host and to https. */
const nameOf = (secure: boolean): string => (secure ? `__Host-${COOKIE}` : COOKIE);

export const sessionCookie = (token: string, secure: boolean): string =>
  `${nameOf(secure)}=${token}; Path=/; HttpOnly; SameSite=Strict${secure ? "; Secure" : ""}`;

export const endedCookie = (secure: boolean): string => `${sessionCookie("", secure)}; Max-Age=0`;

export function cookieToken(headers: Headers, secure: boolean): string | null {
  for (const part of (headers.get("cookie") ?? "").split(";")) {
    const [name, value = ""] = part.trim().split("=", 2);
    if (name === nameOf(secure) && value !== "") return value;
  }
  return null;
}
