import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { isoCBOR } from "@simplewebauthn/server/helpers";
import { codeOf, fromBase32, stepAt } from "../src/modules/people/factor/totp.ts";
import { ORIGIN } from "./hub.ts";

/** What an authenticator app shows. */
export const totpCodeNow = (secret: string, nowMs = Date.now()): string =>
  codeOf(fromBase32(secret), stepAt(nowMs));

const [PRESENT, VERIFIED, ATTESTED] = [0x01, 0x04, 0x40];
const sha256 = (bytes: Uint8Array | string): Buffer => createHash("sha256").update(bytes).digest();
const b64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");

interface Options {
  challenge: string;
  rp?: { id?: string };
  rpId?: string;
  user?: { id: string };
}

/** What a page and an authenticator may do otherwise than they should. */
export interface Tampering {
  origin?: string;
  /** False: nobody showed a finger, a face or a PIN. */
  verified?: boolean;
  /** In place of the hub's challenge. */
  challenge?: string;
  rpId?: string;
}

/** An authenticator with one passkey on P-256, after WebAuthn Level 3, 6. */
export class Authenticator {
  readonly #key = generateKeyPairSync("ec", { namedCurve: "P-256" });
  readonly #id = randomBytes(16);
  #user = "";
  #count = 0;

  /** As `navigator.credentials.create`. */
  create(options: Record<string, unknown>, tampering: Tampering = {}) {
    const { rp, user } = options as unknown as Options;
    this.#user = user?.id ?? "";
    const { x, y } = this.#key.publicKey.export({ format: "jwk" });
    const coordinate = (text: unknown) => Buffer.from(String(text), "base64url");
    const cose = new Map<number, number | Uint8Array>([
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, new Uint8Array(coordinate(x))],
      [-3, new Uint8Array(coordinate(y))],
    ]);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(this.#id.length);
    const attested = Buffer.concat([Buffer.alloc(16), length, this.#id, isoCBOR.encode(cose)]);
    const authData = new Uint8Array(this.#data(rp?.id ?? "", tampering, attested));
    const attestation = new Map<string, unknown>([
      ["fmt", "none"],
      ["attStmt", new Map()],
      ["authData", authData],
    ]);
    return {
      ...this.#named(),
      response: {
        clientDataJSON: this.#client("webauthn.create", options, tampering),
        attestationObject: b64(isoCBOR.encode(attestation as Parameters<typeof isoCBOR.encode>[0])),
        transports: ["internal"],
      },
    };
  }

  /** As `navigator.credentials.get`. */
  get(options: Record<string, unknown>, tampering: Tampering = {}) {
    const authenticatorData = this.#data((options as unknown as Options).rpId ?? "", tampering);
    const clientDataJSON = this.#client("webauthn.get", options, tampering);
    const signed = Buffer.concat([authenticatorData, sha256(Buffer.from(clientDataJSON, "base64url"))]);
    return {
      ...this.#named(),
      response: {
        clientDataJSON,
        authenticatorData: b64(authenticatorData),
        signature: b64(sign("sha256", signed, this.#key.privateKey)),
        userHandle: this.#user === "" ? null : this.#user,
      },
    };
  }

  #named() {
    const id = b64(this.#id);
    return { id, rawId: id, type: "public-key" as const, clientExtensionResults: {} };
  }

  #data(rpId: string, tampering: Tampering, attested: Uint8Array = new Uint8Array()): Buffer {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(++this.#count);
    const flags =
      PRESENT | (tampering.verified === false ? 0 : VERIFIED) | (attested.length > 0 ? ATTESTED : 0);
    return Buffer.concat([sha256(tampering.rpId ?? rpId), Uint8Array.of(flags), count, attested]);
  }

  #client(type: string, options: Record<string, unknown>, tampering: Tampering): string {
    const challenge = tampering.challenge ?? (options as unknown as Options).challenge;
    const { origin = ORIGIN } = tampering;
    return b64(Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false })));
  }
}
