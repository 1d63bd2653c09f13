import { AsyncLocalStorage } from "node:async_hooks";
import { AppError } from "@millrace/contract/error/app-error";
import { betterAuth } from "better-auth";
import { genericOAuth } from "better-auth/plugins";
import { SSO_PROVIDER } from "../people/factor/store.ts";
import type { People } from "../people/people.ts";
import { authOptions, hashedToken } from "./auth-options.ts";
import type { RoleRule } from "./role-map.ts";

export interface SsoSettings {
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** As the button on the sign-in page says it. */
  name: string;
  /** Claim that names somebody's groups. */
  groupsClaim: string;
  rules: readonly RoleRule[];
  /** Whether somebody the hub does not know becomes a person at their first sign-in. */
  create: boolean;
}

const TIMEOUT_MS = 10_000;
const NAME_CHARACTERS_MAX = 100;

type Claims = Record<string, unknown>;

/** What became known while the provider's answer was judged. */
export interface Judged {
  claims: Claims | null;
  created: boolean;
  opened: { tokenHash: string; personId: string } | null;
}

const unavailable = (cause?: unknown) =>
  new AppError("sso.unavailable", "The single sign-on does not answer as it should.", { cause });

async function getJson(url: string, headers: Record<string, string> = {}): Promise<Claims> {
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return (await response.json()) as Claims;
}

/** The payload of a token whose signature was verified before. */
const payloadOf = (token: string): Claims =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Claims;

const text = (value: unknown): string => (typeof value === "string" ? value.trim() : "");

/** @throws AppError `sso.unavailable` for a provider that is away, or that calls itself something else (RFC 8414, 3.3) */
async function discover({ issuer }: SsoSettings): Promise<{ url: string; userInfoUrl: string }> {
  const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const found = await getJson(url).catch((cause: unknown) => {
    throw unavailable(cause);
  });
  if (found.issuer !== issuer) throw unavailable(new Error(`it calls itself ${String(found.issuer)}`));
  return { url, userInfoUrl: text(found.userinfo_endpoint) };
}

/** Says who somebody is from the verified ID token; asks the provider for what that leaves out. */
async function claimsOf(
  tokens: { idToken?: string | undefined; accessToken?: string | undefined },
  userInfoUrl: string,
  groupsClaim: string,
): Promise<Claims | null> {
  if (tokens.idToken === undefined) return null;
  const claims = payloadOf(tokens.idToken);
  const complete = claims.email !== undefined && claims[groupsClaim] !== undefined;
  if (complete || userInfoUrl === "" || tokens.accessToken === undefined) return claims;
  const more = await getJson(userInfoUrl, { authorization: `Bearer ${tokens.accessToken}` });
  return more.sub === claims.sub ? { ...more, ...claims } : null;
}

const tokenless = { accessToken: null, refreshToken: null, idToken: null };

/**
 * better-auth's generic OpenID Connect: authorization code with PKCE, state and nonce, ID token verified. It is an instance
 * of its own, made at first use, because it waits for the provider when it starts; nobody else shall.
 */
async function connect(people: People, settings: SsoSettings, judged: AsyncLocalStorage<Judged>) {
  const { url, userInfoUrl } = await discover(settings);
  return betterAuth({
    ...authOptions(people),
    account: {
      // Whose address the provider did not verify is never taken for somebody who is here already.
      accountLinking: { enabled: true, requireLocalEmailVerified: false },
      updateAccountOnSignIn: false,
    },
    databaseHooks: {
      // We ask the provider nothing later, so what would open it is not kept.
      account: { create: { before: async (account) => ({ data: { ...account, ...tokenless } }) } },
      user: {
        create: {
          after: async () => {
            const facts = judged.getStore();
            if (facts !== undefined) facts.created = true;
          },
        },
      },
      session: {
        create: {
          before: hashedToken,
          after: async ({ token, userId }) => {
            const facts = judged.getStore();
            if (facts !== undefined) facts.opened = { tokenHash: token, personId: userId };
          },
        },
      },
    },
    plugins: [
      genericOAuth({
        config: [
          {
            providerId: SSO_PROVIDER,
            discoveryUrl: url,
            requireIdTokenVerification: true,
            clientId: settings.clientId,
            clientSecret: settings.clientSecret,
            scopes: ["openid", "email", "profile"],
            pkce: true,
            disableSignUp: !settings.create,
            getUserInfo: async (tokens) => {
              const claims = await claimsOf(tokens, userInfoUrl, settings.groupsClaim);
              const facts = judged.getStore();
              if (claims === null || facts === undefined) return null;
              facts.claims = claims;
              const email = text(claims.email);
              const name = text(claims.name) || text(claims.preferred_username) || email;
              const emailVerified = claims.email_verified === true || claims.email_verified === "true";
              const sub = text(claims.sub);
              return { sub, id: sub, email, emailVerified, name: name.slice(0, NAME_CHARACTERS_MAX) };
            },
          },
        ],
      }),
    ],
  });
}

/** Hands requests to the provider's side of better-auth, and tells what became known. */
export function createProvider(people: People, settings: SsoSettings) {
  const judged = new AsyncLocalStorage<Judged>();
  let connected: ReturnType<typeof connect> | null = null;
  return async (request: Request): Promise<{ response: Response; judged: Judged }> => {
    connected ??= connect(people, settings, judged);
    const auth = await connected.catch((thrown: unknown) => {
      connected = null;
      throw thrown;
    });
    const facts: Judged = { claims: null, created: false, opened: null };
    const response = await judged.run(facts, () => auth.handler(request));
    return { response, judged: facts };
  };
}
