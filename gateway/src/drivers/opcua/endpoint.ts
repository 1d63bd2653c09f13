import type { OpcuaSettings } from "@millrace/contract/driver/opcua/settings";
import { AppError } from "@millrace/contract/error/app-error";

const POLICY = "http://opcfoundation.org/UA/SecurityPolicy#";
const BINARY = "http://opcfoundation.org/UA-Profile/Transport/uatcp-uasc-uabinary";

/** An endpoint as a server offers it; only what we look at. Modes: 1 none, 2 sign, 3 sign and encrypt. */
export interface EndpointLike {
  securityMode: number;
  securityPolicyUri: string | null;
  serverCertificate: Uint8Array | null;
  transportProfileUri?: string | null;
  userIdentityTokens: TokenLike[] | null;
}

/** 0 anonymous, 1 user name, 2 certificate. */
export interface TokenLike {
  tokenType: number;
  securityPolicyUri: string | null;
}

export const MODE = { "none-insecure": 1, sign: 2, "sign-and-encrypt": 3 } as const;
const TOKEN = { anonymous: 0, user: 1, certificate: 2 } as const;

export const policyUri = (settings: Pick<OpcuaSettings, "security" | "policy">): string =>
  POLICY + (settings.security === "none-insecure" ? "None" : settings.policy);

const modeWord = (mode: number): string =>
  Object.entries(MODE).find(([, number]) => number === mode)?.[0] ?? `mode ${mode}`;

const offerWords = ({ securityMode, securityPolicyUri }: EndpointLike): string =>
  `${modeWord(securityMode)} ${(securityPolicyUri ?? "").replace(POLICY, "")}`.trim();

/**
 * The endpoint with exactly the protection that was asked for: never a weaker one because the server offers no other.
 * @throws AppError `setting.wrong` naming what the server offers
 */
export function chooseEndpoint(offers: readonly EndpointLike[], settings: OpcuaSettings): EndpointLike {
  const binary = offers.filter(
    ({ transportProfileUri }) => !transportProfileUri || transportProfileUri === BINARY,
  );
  const wanted = policyUri(settings);
  const found = binary.find(
    (one) => one.securityMode === MODE[settings.security] && one.securityPolicyUri === wanted,
  );
  if (found === undefined) {
    const setting = binary.some((one) => one.securityMode === MODE[settings.security])
      ? "policy"
      : "security";
    const offered = [...new Set(binary.map(offerWords))].slice(0, 8).join(", ");
    throw wrong(
      setting,
      `the server does not offer ${settings.security} with ${wanted.replace(POLICY, "")}; it offers ${offered || "nothing"}`,
    );
  }
  checkLogin(found, settings);
  return found;
}

/** @throws AppError `setting.wrong` when the server takes no such login, or the password would travel in the clear */
function checkLogin(endpoint: EndpointLike, { login, security }: OpcuaSettings): void {
  const tokens = (endpoint.userIdentityTokens ?? []).filter(({ tokenType }) => tokenType === TOKEN[login]);
  if (tokens.length === 0) {
    const names = Object.entries(TOKEN).filter(([, number]) =>
      (endpoint.userIdentityTokens ?? []).some(({ tokenType }) => tokenType === number),
    );
    throw wrong(
      "login",
      `the server takes no login "${login}" here; it takes ${names.map(([name]) => name).join(", ") || "none we know"}`,
    );
  }
  const clear = ({ securityPolicyUri }: TokenLike) =>
    (securityPolicyUri || endpoint.securityPolicyUri || "").endsWith("#None");
  // A channel that encrypts protects the password by itself; one that only signs does not.
  if (login === "user" && security !== "sign-and-encrypt" && tokens.some(clear))
    throw wrong("security", "the password would travel in the clear; choose sign-and-encrypt");
}

const wrong = (setting: string, message: string): AppError =>
  new AppError("setting.wrong", `OPC UA: setting "${setting}": ${message}.`, {
    context: { driver: "opcua", setting },
  });
