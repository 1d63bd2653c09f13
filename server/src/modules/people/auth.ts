import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { getLogger } from "@logtape/logtape";
import { type BetterAuthOptions, betterAuth } from "better-auth";
import type { Db } from "../../db/client.ts";
import { readIfThere, writePrivate } from "../../private-file.ts";
import type { Cookies } from "./cookies.ts";
import { authTables } from "./store.ts";

export interface AuthDeps {
  db: Db;
  /** Signs the session cookie. */
  secret: string;
  publicUrl: string;
  origins: () => readonly string[];
  cookies: Cookies;
}

const logger = getLogger(["hub", "auth"]);
/** Of a session that single sign-on opens; ours say their own. */
const SESSION_S = 7 * 24 * 3_600;

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
 * better-auth keeps sessions, accounts and single sign-on; what of it answers to the network is a closed list in
 * `sso/routes.ts`. Nobody can sign up, no session is cached in a cookie, none is prolonged: a sign-out or a removed
 * person counts at once.
 */
export function authOptions({ db, secret, publicUrl, origins, cookies }: AuthDeps) {
  const { attributes, name } = cookies;
  const cookie = (word: Parameters<typeof name>[0]) => ({ name: name(word), attributes });
  return {
    appName: "Millrace",
    baseURL: publicUrl,
    basePath: "/api/auth",
    secret,
    trustedOrigins: () => [...origins()],
    database: authTables(db),
    session: { expiresIn: SESSION_S, disableSessionRefresh: true, cookieCache: { enabled: false } },
    // Ours counts failures by account and by address and answers with our codes.
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    advanced: {
      useSecureCookies: false,
      defaultCookieAttributes: attributes,
      cookies: {
        session_token: cookie("session"),
        dont_remember: cookie("dont_remember"),
        state: cookie("state"),
      },
      database: { generateId: () => Bun.randomUUIDv7() },
      ipAddress: { disableIpTracking: true },
    },
    logger: {
      level: "warn",
      log: (level, message) => (level === "error" ? logger.error(message) : logger.warn(message)),
    },
  } satisfies BetterAuthOptions;
}

export const createAuth = (deps: AuthDeps) => betterAuth(authOptions(deps));
export type Auth = ReturnType<typeof createAuth>;
