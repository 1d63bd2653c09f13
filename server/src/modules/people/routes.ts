import { Email, Me } from "@millrace/contract/api/person";
import { AppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import { Value } from "@sinclair/typebox/value";
import { Elysia } from "elysia";
import { access, type Gatekeeper } from "../../http/access.ts";
import { addressBucket } from "../../http/address.ts";
import { parseJson, readText } from "../../http/body.ts";
import { addressOf } from "../../http/request-from.ts";
import { ACCOUNT_LIMITS, ADDRESS_LIMITS, createThrottle } from "../../http/throttle.ts";
import type { Auth } from "./auth.ts";
import { PASSWORD } from "./password.ts";
import { meOf } from "./service.ts";

export interface PeopleDeps {
  auth: Auth;
  gatekeeper: Gatekeeper;
  clock: Clock;
}

const authBodyBytesMax = 16 * 1024;

/** What of better-auth is open. The rest of it (reset by mail, linked accounts, …) does not exist until it is wanted. */
const AUTH_PATHS = new Set([
  "/sign-in/email",
  "/sign-out",
  "/get-session",
  "/change-password",
  "/list-sessions",
  "/revoke-session",
  "/revoke-other-sessions",
]);

/** Who tries to sign in, or null when the body cannot be one of a sign-in. */
function signInOf(text: string): { email: string; password: string } {
  const body = parseJson(text);
  const { email, password } = (typeof body === "object" && body !== null ? body : {}) as Record<
    string,
    unknown
  >;
  const wrong = (field: string, expected: string) =>
    new AppError("request.invalid", `body/${field}: ${expected}.`, {
      context: { fields: [{ field: `body/${field}` }] },
    });
  if (!Value.Check(Email, email)) throw wrong("email", "an e-mail address such as ada@plant.example");
  if (typeof password !== "string" || password === "") throw wrong("password", "a text that is not empty");
  if (password.length > PASSWORD.lengthMax)
    throw wrong("password", `at most ${PASSWORD.lengthMax} characters`);
  return { email: email.toLowerCase(), password };
}

/**
 * What better-auth refuses, in our words. Its 400 and 403 are about the request, not about who makes it, so neither
 * may look like a wrong password; only its own code is passed on, never its text.
 */
async function refusalOf(response: Response): Promise<AppError> {
  const { status } = response;
  const text = await response.text();
  if (status >= 500) return new AppError("internal.bug", "", { cause: text });
  if (status === 401) return new AppError("auth.required", "This needs somebody who is signed in.");
  if (status === 404) return new AppError("route.unknown", "There is nothing at this address.");
  const reason = /"code":"([A-Z_]{1,60})"/.exec(text)?.[1] ?? "UNKNOWN";
  const context = { reason };
  // The present password, asked for again before it is changed.
  if (reason === "INVALID_PASSWORD") return new AppError("auth.refused", "The password is wrong.");
  return status === 403
    ? new AppError("auth.originRefused", `The hub did not accept where this comes from (${reason}).`, {
        context,
      })
    : new AppError("request.invalid", `The hub did not accept this (${reason}).`, { context });
}

/** better-auth behind our limits and our errors. */
export function createAuthHandler({ auth, clock }: { auth: Pick<Auth, "handler">; clock: Clock }) {
  const accounts = createThrottle(ACCOUNT_LIMITS, clock);
  const addresses = createThrottle(ADDRESS_LIMITS, clock);
  const forward = (request: Request, body: string) =>
    auth.handler(
      new Request(request.url, {
        method: request.method,
        headers: request.headers,
        ...(body === "" ? {} : { body }),
      }),
    );
  const signIn = async (request: Request, text: string, address: string): Promise<Response> => {
    const wanted = signInOf(text);
    const { email } = wanted;
    const bucket = addressBucket(address);
    accounts.check(email);
    addresses.check(bucket);
    // Only these two: better-auth also takes an address to go to afterwards, which a stranger could have chosen.
    const response = await forward(request, JSON.stringify(wanted));
    if (response.ok) {
      accounts.succeeded(email);
      return response;
    }
    if (response.status !== 401) throw await refusalOf(response);
    accounts.failed(email);
    addresses.failed(bucket);
    throw new AppError("auth.refused", "The e-mail address or the password is wrong.");
  };
  return async (request: Request, address: string): Promise<Response> => {
    const path = new URL(request.url).pathname.replace(/^\/api\/auth/, "");
    if (!AUTH_PATHS.has(path)) throw new AppError("route.unknown", "There is nothing at this address.");
    const text = request.method === "GET" ? "" : await readText(request, authBodyBytesMax);
    const response =
      path === "/sign-in/email" && request.method === "POST"
        ? await signIn(request, text, address)
        : await forward(request, text);
    if (response.status >= 400) throw await refusalOf(response);
    return response;
  };
}

export const peopleRoutes = (deps: PeopleDeps) => {
  const handle = createAuthHandler(deps);
  return new Elysia()
    .use(access(deps.gatekeeper))
    .all("/api/auth/*", ({ request, server }) => handle(request, addressOf(request, server)), {
      open: "signing in comes before having a permission",
      parse: "none",
      detail: { hide: true },
    })
    .get("/api/v1/me", ({ principal }) => meOf(principal), {
      self: "it is about oneself",
      response: { 200: Me },
      detail: { summary: "Who is signed in", tags: ["People"] },
    });
};
