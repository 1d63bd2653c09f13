import { getLogger } from "@logtape/logtape";
import type { BetterAuthOptions } from "better-auth";
import type { People } from "../people/people.ts";
import { sessionTokenHash } from "../people/session/token.ts";
import { authTables } from "./store.ts";

const logger = getLogger(["hub", "auth"]);
/** Of the session better-auth opens when it lets somebody in; one of ours takes its place at once. */
const SESSION_S = 60;

/**
 * better-auth speaks with the provider of the single sign-on; what of it answers to the network is the one address in
 * `routes.ts`. Nobody can sign up, and the session it opens gives way to one of ours.
 */
export function authOptions({ db, secret, publicUrl, origins, cookies }: People) {
  const { attributes, name } = cookies;
  const cookie = (word: Parameters<typeof name>[0]) => ({ name: name(word), attributes });
  return {
    appName: "Millrace",
    baseURL: publicUrl(),
    basePath: "/api/auth",
    secret,
    trustedOrigins: () => [...origins()],
    database: authTables(db),
    session: { expiresIn: SESSION_S, disableSessionRefresh: true, cookieCache: { enabled: false } },
    // What comes back from the provider is looked up by a hash of it.
    verification: { storeIdentifier: "hashed" },
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

/** No token of a session lies in the database, not even for the moment until ours takes its place. */
export const hashedToken = async <T extends { token: string }>(session: T) => ({
  data: { ...session, token: sessionTokenHash(session.token) },
});
