import { AppError } from "@millrace/contract/error/app-error";
import type { ErrorCode } from "@millrace/contract/error/code";

/** What a broker says of itself when it ends a connection (MQTT 5.0, 2.4), as far as a person can do something about it. */
const REASONS: Record<number, readonly [ErrorCode, string]> = {
  129: ["link.garbled", "the broker found our packet malformed"],
  130: ["link.garbled", "the broker reports a protocol error"],
  133: ["link.denied", "the broker does not take this client id"],
  134: ["link.denied", "user name or password is wrong"],
  135: [
    "link.denied",
    "the broker does not let us in: user name, password or certificate are wrong, or lack the right",
  ],
  136: ["link.lost", "the broker is not ready to serve"],
  137: ["link.lost", "the broker is busy"],
  138: ["link.denied", "the broker has banned this client"],
  139: ["link.lost", "the broker is shutting down"],
  140: ["link.denied", "the broker wants another way to sign in"],
  141: ["link.lost", "the broker heard nothing from us for too long"],
  142: [
    "link.refused",
    "another client signed in with the same client id; each needs its own, or both throw each other out",
  ],
  149: ["link.lost", "a packet was too large for the broker"],
  151: ["link.lost", "a quota of the broker is used up"],
  152: ["link.lost", "the broker was told to end the connection"],
  156: ["link.lost", "the broker says to use another server"],
  157: ["link.lost", "the broker moved to another server"],
};

/** CONNACK of MQTT 3.1.1 (3.2.2.3). */
const RETURN_CODES: Record<number, number> = { 2: 0x85, 3: 0x88, 4: 0x86, 5: 0x87 };

/** The broker does not know this version of MQTT: 0x84 in version 5, 1 in 3.1.1. */
export const isVersionRefusal = (code: unknown): boolean => code === 0x84 || code === 1;

export function reasonFault(broker: string, code: number): AppError {
  const [kind, words] = REASONS[RETURN_CODES[code] ?? code] ?? [
    "link.lost",
    `the broker gave reason ${code}`,
  ];
  return new AppError(kind, `${broker}: ${words}.`, { context: { reason: code } });
}

const SYSTEM: Record<string, readonly [ErrorCode, string]> = {
  ECONNREFUSED: ["link.refused", "nothing listens at this port"],
  EHOSTUNREACH: ["link.unreachable", "no way to this address"],
  ENETUNREACH: ["link.unreachable", "no way to this network"],
  ETIMEDOUT: ["link.unreachable", "no answer"],
  ENOTFOUND: ["link.unreachable", "no such host name"],
  EAI_AGAIN: ["link.unreachable", "the host name cannot be looked up"],
  ECONNRESET: ["link.lost", "the broker ended the connection"],
  EPIPE: ["link.lost", "the broker ended the connection"],
};

/** What went wrong with the connection, in one of our codes. */
export function linkFault(broker: string, thrown: unknown): AppError {
  if (thrown instanceof AppError) {
    return new AppError(thrown.code, `${broker}: ${thrown.message}.`, { cause: thrown });
  }
  const { code, message = String(thrown) } = (thrown ?? {}) as { code?: unknown; message?: string };
  if (typeof code === "number") return reasonFault(broker, code);
  const system = SYSTEM[String(code)];
  if (system !== undefined) return new AppError(system[0], `${broker}: ${system[1]}.`, { cause: thrown });
  if (/CERT|SIGNATURE|SELF_SIGNED|ALTNAME|TLS|SSL|HANDSHAKE/i.test(String(code))) {
    return new AppError(
      "link.untrusted",
      `${broker}: TLS failed, ${certificateWords(String(code), message)}.`,
      {
        cause: thrown,
      },
    );
  }
  return new AppError("link.lost", `${broker}: ${message.slice(0, 200)}.`, { cause: thrown });
}

function certificateWords(code: string, message: string): string {
  if (/ALTNAME/.test(code)) return "the certificate is for another name (serverName)";
  if (/EXPIRED/.test(code)) return "the certificate has expired";
  if (/NOT_YET/.test(code)) return "the certificate is not valid yet; is the clock right?";
  if (/SELF_SIGNED|LEAF_SIGNATURE|ISSUER/.test(code))
    return "nobody we trust signed the broker's certificate (ca)";
  return message.slice(0, 160);
}
