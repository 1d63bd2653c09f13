import { Enrolment, type EnrolmentBody, type EnrolmentRequest } from "@millrace/contract/api/enrolment";
import { AppError, isRetryable } from "@millrace/contract/error/app-error";
import { fullJitterMs, UPLINK_BACKOFF } from "@millrace/contract/std/backoff";
import type { Clock, Random } from "@millrace/contract/std/clock";
import { ROUTE } from "@millrace/contract/wire/route";
import { enrolmentText } from "@millrace/contract/wire/signature";
import { Value } from "@sinclair/typebox/value";
import { untrusted } from "../uplink/connect-failure.ts";
import { fingerprintOf, type GatewayKey } from "./key.ts";
import { type IdentityState, writeIdentityState } from "./state.ts";

const ANSWER_BYTES_MAX = 64 * 1024;
const ANSWER_MS_MAX = 10_000;

export interface EnrolInput {
  folder: string;
  key: GatewayKey;
  hubUrl: string;
  claimToken: string;
  software: string;
  clock: Clock;
  random: Random;
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Told before each further attempt, so that the console can say why nothing happens yet. */
  onRetry?: (error: AppError, waitMs: number) => void;
  signal?: AbortSignal;
}

/**
 * Makes this gateway known to a hub and pins the hub's key. A hub that cannot be reached is tried again for as long
 * as it takes; a refusal ends at once, because only a person can change it.
 *
 * The stored epoch never goes back: the outbox in the same folder may have used the numbers of a later one.
 * @throws AppError `claim.refused` (used, expired or unknown token), `uplink.protocol` (the answer is no hub's).
 */
export async function enrol(input: EnrolInput): Promise<IdentityState> {
  const body: EnrolmentBody = {
    claimToken: input.claimToken,
    publicKey: input.key.publicKey,
    software: input.software,
  };
  const request: EnrolmentRequest = { body, signature: input.key.sign(enrolmentText(body)) };
  for (let attempt = 0; ; attempt++) {
    try {
      const enrolment = await ask(input, request);
      const state = stateOf(input, enrolment);
      await writeIdentityState(input.folder, state);
      return state;
    } catch (thrown) {
      if (!(thrown instanceof AppError) || !isRetryable(thrown) || input.signal?.aborted) throw thrown;
      const waitMs = 250 + fullJitterMs(UPLINK_BACKOFF, attempt, input.random);
      input.onRetry?.(thrown, waitMs);
      await input.clock.sleep(waitMs, input.signal);
    }
  }
}

function stateOf(input: EnrolInput, enrolment: Enrolment): IdentityState {
  if (enrolment.fingerprint.replace(/\W/g, "") !== fingerprintOf(input.key.publicKey).replace(/\W/g, "")) {
    throw new AppError(
      "uplink.protocol",
      `${input.hubUrl} enrolled another key than ours; nothing was stored.`,
    );
  }
  const { fingerprint: _, ...known } = enrolment;
  return { ...known, hubUrl: input.hubUrl };
}

async function ask(input: EnrolInput, request: EnrolmentRequest): Promise<Enrolment> {
  const url = new URL(ROUTE.enrolments, input.hubUrl).href;
  const response = await post(input, url, request);
  const text = await readBounded(response, url);
  const found = parse(text);
  if (response.ok && Value.Check(Enrolment, found)) return Value.Clean(Enrolment, found) as Enrolment;
  throw refusal(response.status, found, url);
}

async function post(input: EnrolInput, url: string, request: EnrolmentRequest): Promise<Response> {
  const late = new AbortController();
  const cancel = input.clock.after(ANSWER_MS_MAX, () =>
    late.abort(new Error(`no answer in ${ANSWER_MS_MAX} ms`)),
  );
  try {
    return await input.fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(request),
      // A redirect would hand the claim token to whoever the answer names.
      redirect: "manual",
      signal: input.signal ? AbortSignal.any([input.signal, late.signal]) : late.signal,
    });
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    const distrust = untrusted((cause as { code?: string }).code);
    if (distrust !== null) {
      const message = `No claim was sent to ${input.hubUrl}: ${distrust}.`;
      throw new AppError("uplink.untrusted", message, { cause });
    }
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AppError("uplink.unreachable", `${input.hubUrl} cannot be reached: ${why}`, { cause });
  } finally {
    cancel();
  }
}

async function readBounded(response: Response, url: string): Promise<string> {
  const declared = Number(response.headers.get("content-length") ?? 0);
  if (declared > ANSWER_BYTES_MAX) throw notAHub(url, `an answer of ${declared} bytes`);
  const text = await response.text();
  if (text.length > ANSWER_BYTES_MAX) throw notAHub(url, `an answer of ${text.length} characters`);
  return text;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function refusal(status: number, found: unknown, url: string): AppError {
  const problem = (found ?? {}) as { code?: unknown; detail?: unknown };
  const detail = typeof problem.detail === "string" ? problem.detail.slice(0, 500) : "";
  if (status >= 500 || status === 429) {
    return new AppError("uplink.busy", `The hub answers ${status} to the enrolment. ${detail}`.trim(), {
      context: { status },
    });
  }
  if (problem.code === "claim.refused" || status === 401 || status === 403) {
    return new AppError(
      "claim.refused",
      `The hub refused the claim token. ${detail} Make a new one at the hub: each works once and expires.`.replace(
        "  ",
        " ",
      ),
      { context: { status } },
    );
  }
  return notAHub(url, `status ${status}${detail ? `: ${detail}` : ""}`);
}

const notAHub = (url: string, found: string): AppError =>
  new AppError(
    "uplink.protocol",
    `${url} does not answer as a Millrace hub of our version does (found ${found}).`,
  );
