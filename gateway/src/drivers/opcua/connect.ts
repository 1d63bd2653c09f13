import type { OpcuaSettings } from "@millrace/contract/driver/opcua/settings";
import { AppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import type { PeerCertificate } from "@millrace/contract/vocabulary/certificate";
import type { Keep } from "../../driver/keep.ts";
import { describe, fingerprintOf, firstOf, grouped } from "./certificate.ts";
import { chooseEndpoint, MODE, policyUri } from "./endpoint.ts";
import { faultOf } from "./fault.ts";
import { ownIdentity } from "./identity.ts";
import type { Library, OwnIdentity, Wire, WireTarget } from "./wire.ts";

/** What was judged of a server. Kept between connects; nothing of it is believed when connecting fails. */
export interface Known {
  /** The one certificate that is trusted; null without protection. */
  serverCertificate: Uint8Array | null;
  /** The same, as people see it. */
  certificate: PeerCertificate | null;
}

export interface ConnectInput {
  settings: OpcuaSettings;
  library: Library;
  keep: Keep;
  clock: Clock;
  known: Known | null;
  onClosed: (why: string) => void;
  signal: AbortSignal;
}

/**
 * Asks the server what it offers, judges it, opens a session with exactly that.
 * @throws AppError `link.*` | `setting.wrong`; the reason of the signal
 */
export async function connectTo(input: ConnectInput): Promise<{ wire: Wire; known: Known }> {
  const { settings, library, keep, clock } = input;
  const own = await ownIdentity(keep, library.makeCertificate, clock.nowMs(), () =>
    crypto.randomUUID().slice(0, 13),
  );
  const known = input.known ?? (await judge(input, own));
  const target: WireTarget = {
    endpoint: settings.endpoint,
    mode: MODE[settings.security],
    policyUri: policyUri(settings),
    serverCertificate: known.serverCertificate,
    own,
    login: loginOf(settings),
    sessionTimeoutMs: settings.sessionTimeoutMs,
  };
  try {
    const wire = await within(input, 2, (signal) => library.open(target, input.onClosed, signal));
    return { wire, known };
  } catch (thrown) {
    input.signal.throwIfAborted();
    // The server may have another certificate or other endpoints by now: they are judged anew.
    if (input.known !== null) return connectTo({ ...input, known: null });
    throw named(faultOf(thrown, settings.endpoint, "connecting", "connect"), own);
  }
}

/** What the server offers, and whether it is the one we trust. */
async function judge(input: ConnectInput, own: OwnIdentity): Promise<Known> {
  const { settings, library } = input;
  const { endpoint } = settings;
  let offers: Awaited<ReturnType<Library["endpoints"]>>;
  try {
    offers = await within(input, 1, (signal) => library.endpoints(endpoint, own, signal));
  } catch (thrown) {
    input.signal.throwIfAborted();
    throw faultOf(thrown, endpoint, "asking what the server offers", "connect");
  }
  const chosen = chooseEndpoint(offers, settings);
  if (settings.security === "none-insecure") return { serverCertificate: null, certificate: null };
  const serverCertificate = trusted(chosen.serverCertificate, settings);
  return { serverCertificate, certificate: describe(serverCertificate, endpoint) };
}

/** @throws AppError `link.untrusted` with the certificate, for somebody who compares it */
function trusted(chain: Uint8Array | null, { endpoint, serverFingerprint }: OpcuaSettings): Uint8Array {
  let certificate: Uint8Array;
  try {
    certificate = firstOf(chain ?? new Uint8Array());
  } catch (cause) {
    throw new AppError("link.garbled", `${endpoint} shows no readable certificate.`, { cause });
  }
  const fingerprint = fingerprintOf(certificate);
  if (fingerprint === serverFingerprint) return certificate;
  const words =
    serverFingerprint === undefined
      ? "shows a certificate that nobody has trusted yet"
      : "shows another certificate than the one that is trusted";
  throw new AppError("link.untrusted", `${endpoint} ${words}: SHA-256 ${grouped(fingerprint)}.`, {
    context: { endpoint, certificate: describe(certificate, endpoint) },
  });
}

/** A server that refuses us has to be told whom to trust: by our fingerprint. */
function named(error: AppError, { certificate }: OwnIdentity): AppError {
  if (error.code !== "link.denied" || !error.message.includes("certificate")) return error;
  const { thumbprint: sha1 } = describe(certificate, "");
  return new AppError("link.denied", `${error.message} Ours is "Millrace gateway", SHA-1 ${grouped(sha1)}.`, {
    cause: error,
    context: error.context,
  });
}

/** A PEM whose line breaks were lost in a form gets them back. */
export function pemOf(text: string): string {
  const [, label = "", body = ""] = /-----BEGIN ([A-Z ]+)-----([\s\S]*?)-----END/.exec(text) ?? [];
  const lines = body.replace(/\s+/g, "").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

function loginOf(settings: OpcuaSettings): WireTarget["login"] {
  const { login, user = "", password = "", userCertificate = "", userKey = "" } = settings;
  if (login === "user") return { as: "user", user, password };
  if (login === "certificate")
    return { as: "certificate", certificatePem: pemOf(userCertificate), keyPem: pemOf(userKey) };
  return { as: "anonymous" };
}

/** A step of connecting in its time. @param steps round trips of this step, in units of the setting */
async function within<T>(
  { settings, clock, signal }: ConnectInput,
  steps: number,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const onOuter = () => limit.abort(signal.reason);
  signal.addEventListener("abort", onOuter, { once: true });
  const ms = steps * settings.connectTimeoutMs;
  const cancel = clock.after(ms, () =>
    limit.abort(new AppError("link.unreachable", `${settings.endpoint}: no connection within ${ms} ms.`)),
  );
  try {
    signal.throwIfAborted();
    return await run(limit.signal);
  } finally {
    cancel();
    signal.removeEventListener("abort", onOuter);
  }
}
