import { AppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import {
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  FlattenedSign,
  importPKCS8,
  type JWK,
} from "jose";

/** What of RFC 8555 the hub needs: one account, orders for host names, proof by http-01. */

const ANSWER_MS_MAX = 30_000;
const ANSWER_CHARACTERS_MAX = 256 * 1024;
const POLL_MS_FIRST = 250;
const POLL_MS_MAX = 30_000;
/** An order that is not through by then is given up and begun anew later. */
const ORDER_MS_MAX = 180_000;
/** A server may refuse a nonce for no reason of ours (6.5). */
const NONCE_TRIES = 5;

const Url = Type.String({ pattern: "^https?://", maxLength: 2_000 });
const Directory = Type.Object({ newNonce: Url, newAccount: Url, newOrder: Url });
const Order = Type.Object({
  status: Type.String(),
  authorizations: Type.Array(Url, { maxItems: 100 }),
  finalize: Url,
  certificate: Type.Optional(Url),
});
const Challenge = Type.Object({
  type: Type.String(),
  url: Url,
  token: Type.Optional(Type.String({ pattern: "^[A-Za-z0-9_-]{1,500}$" })),
});
const Authorization = Type.Object({
  status: Type.String(),
  identifier: Type.Object({ value: Type.String() }),
  challenges: Type.Array(Type.Object({ ...Challenge.properties, error: Type.Optional(Type.Unknown()) })),
});
type Authorization = Static<typeof Authorization>;

export interface AcmeDeps {
  directoryUrl: string;
  /** ES256, PKCS#8 PEM. */
  accountKey: string;
  contact: string | undefined;
  /** Answers by token, which the plain port gives out while a proof is asked for. */
  answers: Map<string, string>;
  clock: Clock;
  fetch: (url: string, init: RequestInit) => Promise<Response>;
}

interface Answer {
  response: Response;
  text: string;
}

const failed = (what: string, cause?: unknown): AppError =>
  new AppError("certificate.failed", `No certificate by ACME: ${what}`, { cause });

/** What the server says is wrong (RFC 7807), short. */
function problemText(found: unknown): string {
  const { type = "", detail = "" } = (found ?? {}) as { type?: unknown; detail?: unknown };
  return `${String(detail).slice(0, 300)} (${String(type).slice(0, 100)})`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function decode<S extends TSchema>(schema: S, text: string, what: string): Static<S> {
  const found = parse(text);
  if (Value.Check(schema, found)) return found;
  throw failed(`the authority's ${what} is not as RFC 8555 says.`);
}

class Session {
  readonly #deps: AcmeDeps;
  readonly #key: CryptoKey;
  readonly #jwk: JWK;
  #directory: Static<typeof Directory> | null = null;
  #nonce: string | null = null;
  #account: string | null = null;

  private constructor(deps: AcmeDeps, key: CryptoKey, jwk: JWK) {
    this.#deps = deps;
    this.#key = key;
    this.#jwk = jwk;
  }

  static async open(deps: AcmeDeps): Promise<Session> {
    const key = await importPKCS8(deps.accountKey, "ES256", { extractable: true });
    const { kty, crv, x, y } = await exportJWK(key);
    const session = new Session(deps, key, { kty, crv, x, y } as JWK);
    const { text } = await session.#send(deps.directoryUrl, { method: "GET" });
    session.#directory = decode(Directory, text, "directory");
    return session;
  }

  get directory(): Static<typeof Directory> {
    if (this.#directory === null) throw failed("the directory was not read.");
    return this.#directory;
  }

  thumbprint = (): Promise<string> => calculateJwkThumbprint(this.#jwk, "sha256");

  useAccount(url: string): void {
    this.#account = url;
  }

  /** A signed request (6.2); null as payload is a POST-as-GET. */
  async post(url: string, payload: object | null): Promise<Answer> {
    for (let turn = 1; ; turn++) {
      const answer = await this.#send(url, await this.#signed(url, payload));
      if (answer.response.ok) return answer;
      const found = parse(answer.text) as { type?: unknown } | null;
      const stale = found?.type === "urn:ietf:params:acme:error:badNonce";
      if (!stale || turn >= NONCE_TRIES)
        throw failed(`the authority answers ${answer.response.status}: ${problemText(found)}`);
    }
  }

  async #signed(url: string, payload: object | null): Promise<RequestInit> {
    if (this.#nonce === null) await this.#send(this.directory.newNonce, { method: "HEAD" });
    const nonce = this.#nonce;
    this.#nonce = null;
    if (nonce === null) throw failed("the authority gives no nonce.");
    const who = this.#account === null ? { jwk: this.#jwk } : { kid: this.#account };
    const bytes = new TextEncoder().encode(payload === null ? "" : JSON.stringify(payload));
    const body = await new FlattenedSign(bytes)
      .setProtectedHeader({ alg: "ES256", nonce, url, ...who })
      .sign(this.#key);
    return {
      method: "POST",
      headers: { "content-type": "application/jose+json" },
      body: JSON.stringify(body),
    };
  }

  async #send(url: string, init: RequestInit): Promise<Answer> {
    const late = new AbortController();
    const cancel = this.#deps.clock.after(ANSWER_MS_MAX, () => late.abort(new Error("no answer in time")));
    try {
      const response = await this.#deps.fetch(url, { ...init, redirect: "manual", signal: late.signal });
      const text = await response.text();
      if (text.length > ANSWER_CHARACTERS_MAX) throw new Error(`an answer of ${text.length} characters`);
      this.#nonce = response.headers.get("replay-nonce") ?? this.#nonce;
      return { response, text };
    } catch (cause) {
      const { host } = new URL(url);
      throw failed(`${host} cannot be asked: ${cause instanceof Error ? cause.message : cause}`, cause);
    } finally {
      cancel();
    }
  }
}

/**
 * Gets a certificate for the names.
 * @param request certificate request, DER in base64url
 * @returns the certificate and its chain, PEM
 * @throws AppError `certificate.failed` saying what the authority says
 */
export async function orderCertificate(
  deps: AcmeDeps,
  names: readonly string[],
  request: string,
): Promise<string> {
  const deadlineMs = deps.clock.monoMs() + ORDER_MS_MAX;
  const session = await Session.open(deps);
  const account = await session.post(session.directory.newAccount, {
    termsOfServiceAgreed: true,
    ...(deps.contact === undefined ? {} : { contact: [`mailto:${deps.contact}`] }),
  });
  session.useAccount(locationOf(account));
  const identifiers = names.map((value) => ({ type: "dns", value }));
  const begun = await session.post(session.directory.newOrder, { identifiers });
  const orderUrl = locationOf(begun);
  const order = decode(Order, begun.text, "order");
  for (const url of order.authorizations) await prove(deps, session, url, deadlineMs);
  await session.post(order.finalize, { csr: request });
  const done = await poll(deps, session, orderUrl, Order, deadlineMs, ({ status }) =>
    ["valid", "invalid"].includes(status),
  );
  if (done.certificate === undefined) throw failed(`the order ended as "${done.status}".`);
  return (await session.post(done.certificate, null)).text;
}

function locationOf({ response }: Answer): string {
  const url = response.headers.get("location");
  if (url === null) throw failed("the authority's answer names no address.");
  return url;
}

/** Lets the authority see, at the plain port, that the name leads here. */
async function prove(deps: AcmeDeps, session: Session, url: string, deadlineMs: number): Promise<void> {
  const known = decode(Authorization, (await session.post(url, null)).text, "authorization");
  if (known.status === "valid") return;
  const challenge = known.challenges.find(({ type }) => type === "http-01");
  const token = challenge?.token;
  if (challenge === undefined || token === undefined)
    throw failed(`the authority takes no proof by http for ${known.identifier.value}.`);
  deps.answers.set(token, `${token}.${await session.thumbprint()}`);
  try {
    await session.post(challenge.url, {});
    const judged = await poll(
      deps,
      session,
      url,
      Authorization,
      deadlineMs,
      ({ status }) => status !== "pending",
    );
    if (judged.status !== "valid") throw failed(refusalOf(judged));
  } finally {
    deps.answers.delete(token);
  }
}

function refusalOf({ identifier, status, challenges }: Authorization): string {
  const error = challenges.find((one) => one.error !== undefined)?.error;
  return `the proof for ${identifier.value} ended as "${status}": ${problemText(error)}`;
}

async function poll<S extends TSchema>(
  { clock }: AcmeDeps,
  session: Session,
  url: string,
  schema: S,
  deadlineMs: number,
  over: (found: Static<S>) => boolean,
): Promise<Static<S>> {
  for (let waitMs = POLL_MS_FIRST; ; waitMs = Math.min(2 * waitMs, POLL_MS_MAX)) {
    const { response, text } = await session.post(url, null);
    const found = decode(schema, text, "state");
    if (over(found)) return found;
    if (clock.monoMs() > deadlineMs) throw failed(`no end after ${ORDER_MS_MAX / 1_000} s.`);
    const askedS = Number(response.headers.get("retry-after"));
    await clock.sleep(askedS > 0 ? Math.min(askedS * 1_000, POLL_MS_MAX) : waitMs);
  }
}
