import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { getLogger } from "@logtape/logtape";
import type { Clock } from "@millrace/contract/std/clock";
import { betterAuth } from "better-auth";
import type { Db } from "../../db/client.ts";
import type { Gatekeeper } from "../../http/access.ts";
import type { Principal } from "../../http/principal.ts";
import { readIfThere, writePrivate } from "../../private-file.ts";
import { tokenHash } from "../../secret.ts";
import { PASSWORD, type Passwords } from "./password.ts";
import { findPlace } from "./place-store.ts";
import { authTables, findApiKey, findPersonGrants } from "./store.ts";

export interface AuthDeps {
  db: Db;
  passwords: Passwords;
  /** Signs the session cookie. */
  secret: string;
  publicUrl: string;
  origins: () => readonly string[];
}

const logger = getLogger(["hub", "auth"]);
const sessionS = 7 * 24 * 3_600;

/** The secret under session cookies: a file of the hub's own, made at the first start. */
export async function loadSessionSecret(dataFolder: string): Promise<string> {
  const file = join(dataFolder, "keys", "session.secret");
  const found = await readIfThere(file).catch(() => null);
  if (found !== null && found.trim().length >= 32) return found.trim();
  const secret = randomBytes(32).toString("base64url");
  await writePrivate(file, secret);
  return secret;
}

/**
 * Sign-in and sessions. Nobody can sign up; the first person comes from the set-up, later ones from an administrator.
 * No session is cached in a cookie: a sign-out or a removed person counts at once.
 */
export function createAuth(deps: AuthDeps) {
  const https = deps.publicUrl.startsWith("https:");
  // `__Host-` needs Secure, and a browser drops Secure cookies of plain http other than on localhost.
  const cookie = { secure: https, httpOnly: true, sameSite: "lax", path: "/" } as const;
  const name = (word: string) => `${https ? "__Host-" : ""}millrace.${word}`;
  return betterAuth({
    appName: "Millrace",
    // Only makes addresses in mails, which we send none of; with a free port it is not even known yet. Which origins
    // may ask is decided by `origins`, at each request.
    baseURL: deps.publicUrl,
    basePath: "/api/auth",
    secret: deps.secret,
    trustedOrigins: () => [...deps.origins()],
    database: authTables(deps.db),
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength: PASSWORD.lengthMin,
      maxPasswordLength: PASSWORD.lengthMax,
      password: {
        hash: deps.passwords.hash,
        verify: ({ password, hash }) => deps.passwords.verify(password, hash),
      },
    },
    session: { expiresIn: sessionS, cookieCache: { enabled: false } },
    // Ours counts failures by account and by address and answers with our codes.
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    advanced: {
      useSecureCookies: false,
      defaultCookieAttributes: cookie,
      cookies: {
        session_token: { name: name("session"), attributes: cookie },
        dont_remember: { name: name("dont_remember"), attributes: cookie },
      },
      database: { generateId: () => Bun.randomUUIDv7() },
      ipAddress: { disableIpTracking: true },
    },
    logger: {
      level: "warn",
      log: (level, message) => (level === "error" ? logger.error(message) : logger.warn(message)),
    },
  });
}
export type Auth = ReturnType<typeof createAuth>;

const BEARER = /^Bearer ([\x21-\x7e]{1,400})$/i;

/** An API key when there is an Authorization header, else the session cookie. A wrong key never falls back to a cookie. */
export function createGatekeeper(db: Db, auth: Auth, clock: Clock): Gatekeeper {
  return {
    placeOf: (kind, key) => findPlace(db, kind, key),
    async whoIs(headers): Promise<Principal | null> {
      const authorization = headers.get("authorization");
      if (authorization !== null) {
        const key = BEARER.exec(authorization)?.[1];
        return key === undefined ? null : await findApiKey(db, tokenHash(key), new Date(clock.nowMs()));
      }
      if (!headers.get("cookie")?.includes("millrace.session")) return null;
      const found = await auth.api.getSession({
        headers: new Headers({ cookie: headers.get("cookie") ?? "" }),
      });
      if (found === null) return null;
      const { id, name, email } = found.user;
      const grants = await findPersonGrants(db, id);
      if (grants === null) return null;
      return { kind: "person", id, name, email, grants, sessionId: found.session.id };
    },
  };
}
