import {
  type PasskeyAssertion,
  PasskeyOptions,
  type PasskeyRegistration,
} from "@millrace/contract/api/passkey";
import {
  browserSupportsWebAuthnAutofill,
  startAuthentication,
  startRegistration,
  WebAuthnAbortService,
  WebAuthnError,
} from "@simplewebauthn/browser";
import { HubFault } from "../error/fault.ts";
import type { HubClient } from "./client.ts";

type CreationOptions = Parameters<typeof startRegistration>[0]["optionsJSON"];
type RequestOptions = Parameters<typeof startAuthentication>[0]["optionsJSON"];

/** What the browser says of a passkey that came to nothing, in words; null when its person turned away or was too slow. */
function wordsOf(thrown: unknown): string | null {
  const code = thrown instanceof WebAuthnError ? thrown.code : "";
  const name = thrown instanceof Error ? thrown.name : "";
  if (code === "ERROR_AUTHENTICATOR_PREVIOUSLY_REGISTERED" || name === "InvalidStateError")
    return "This device has a passkey for you already.";
  if (code === "ERROR_INVALID_DOMAIN" || code === "ERROR_INVALID_RP_ID")
    return "Passkeys work at the hub's own address only. Open that one.";
  if (code.startsWith("ERROR_AUTHENTICATOR_MISSING"))
    return "This device cannot keep passkeys that ask for finger, face or PIN. Use your phone or another device.";
  if (name === "NotAllowedError" || name === "AbortError") return null;
  return "This browser could not use a passkey.";
}

/** @throws HubFault `passkey.refused` with the browser's reason in words */
async function inBrowser<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    const text = wordsOf(cause) ?? "No passkey was used: it was called off, or it took too long.";
    throw new HubFault("passkey.refused", text, "", { cause });
  }
}

const optionsAt = (client: HubClient, path: string, body: unknown): Promise<PasskeyOptions> =>
  client.call({ method: "POST", path, schema: PasskeyOptions, body });

/** Has the browser make a passkey by the options that `path` gives. @throws HubFault */
export async function makePasskey(
  client: HubClient,
  path: string,
  body: unknown = {},
): Promise<PasskeyRegistration> {
  const optionsJSON = (await optionsAt(client, path, body)) as unknown as CreationOptions;
  const made = await inBrowser(() => startRegistration({ optionsJSON }));
  const { id, rawId, authenticatorAttachment, response } = made;
  const { clientDataJSON, attestationObject, transports } = response;
  return {
    id,
    rawId,
    type: "public-key",
    authenticatorAttachment,
    clientExtensionResults: {},
    response: { clientDataJSON, attestationObject, transports: transports ?? [] },
  };
}

/** Has the browser answer the challenge that `path` gives; with `autofill` it waits until a passkey is picked in a field. */
export async function usePasskey(
  client: HubClient,
  path: string,
  autofill = false,
): Promise<PasskeyAssertion> {
  const optionsJSON = (await optionsAt(client, path, {})) as unknown as RequestOptions;
  const used = await inBrowser(() => startAuthentication({ optionsJSON, useBrowserAutofill: autofill }));
  return { ...used, type: "public-key", clientExtensionResults: {} };
}

export const canAutofill = (): Promise<boolean> => browserSupportsWebAuthnAutofill().catch(() => false);

/** Ends a wait for a passkey. */
export const stopPasskey = (): void => WebAuthnAbortService.cancelCeremony();

/** What a passkey made here is called until its person says better. */
export function ownDeviceName(): string {
  const text = navigator.userAgent;
  const found = ["iPhone", "iPad", "Android", "Windows", "Mac", "Linux"].find((word) => text.includes(word));
  return found === undefined ? "My passkey" : `My ${found} device`;
}
