import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { Claim, Enrolment, EnrolmentRequest } from "@millrace/contract/api/enrolment";
import { enrolmentText, helloText } from "@millrace/contract/wire/signature";
import type { HelloBody } from "@millrace/contract/wire/uplink";
import type { LoneHub } from "./hub.ts";
import type { RawClient } from "./raw-client.ts";

/** A gateway of the hub whose key we hold: what gets past the signature is what a stolen gateway may say. */
export interface Enrolled {
  id: string;
  keyId: string;
  key: KeyObject;
  epoch: number;
  sessionNo: number;
  tagNos: number[];
}

const sealedBy = (key: KeyObject, text: string): string =>
  sign(null, Buffer.from(text), key).toString("base64url");

export function enrolmentOf(claimToken: string): { key: KeyObject; request: EnrolmentRequest } {
  const { privateKey: key, publicKey } = generateKeyPairSync("ed25519");
  const body = { claimToken, publicKey: String(publicKey.export({ format: "jwk" }).x), software: "flood" };
  return { key, request: { body, signature: sealedBy(key, enrolmentText(body)) } };
}

export const claimOf = async ({ api }: LoneHub, gatewayId: string): Promise<string> =>
  (await api.post<Claim>(`/gateways/${gatewayId}/claims`, {})).claimToken;

/** One more gateway, with a device of the profile. @param name must be free */
export async function enrolNew(
  hub: LoneHub,
  name: string,
  plant: { siteId: string; profileId: string },
): Promise<Enrolled> {
  const { api, url } = hub;
  const { id } = await api.post<{ id: string }>("/gateways", { name, siteId: plant.siteId });
  await api.post("/devices", {
    name,
    ...plant,
    gatewayId: id,
    settings: { host: "127.0.0.1", port: 9, unit: 1 },
  });
  const tags = await api.all<{ tagNo: number }>(`/tags?gatewayId=${id}`);
  const { key, request } = enrolmentOf(await claimOf(hub, id));
  const response = await fetch(`${url}/api/v1/enrolments`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(request),
  });
  if (!response.ok) throw new Error(`the hub did not take gateway ${name}: ${await response.text()}`);
  const { keyId, epoch } = (await response.json()) as Enrolment;
  return { id, keyId, key, epoch, sessionNo: 0, tagNos: tags.map(({ tagNo }) => tagNo) };
}

export interface Challenge {
  nonce: string;
  hubId: string;
}

/** The body of a hello that would be taken. Counts the session. */
export const helloBody = (gateway: Enrolled, { nonce, hubId }: Challenge): HelloBody => ({
  protocol: 1,
  gatewayId: gateway.id,
  keyId: gateway.keyId,
  hubId,
  nonce,
  epoch: gateway.epoch,
  sessionNo: ++gateway.sessionNo,
  bootNo: 1,
  streams: (["H", "E"] as const).map((lane) => ({ lane, seg: 1, low: 1, next: 2 ** 40, acked: 0 })),
  manifestRev: 0,
  commandNo: 0,
  software: "flood",
  wallMs: Date.now(),
});

/** Any body under a signature that holds. */
export const signedHello = (gateway: Enrolled, body: object): object => ({
  type: "hello",
  body,
  signature: sealedBy(gateway.key, helloText(body as HelloBody)),
});

export async function challengeOf(client: RawClient): Promise<Challenge | null> {
  const text = await client.textWith('"challenge"');
  return text === null ? null : (JSON.parse(text) as Challenge);
}
