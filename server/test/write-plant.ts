import { createPublicKey, verify } from "node:crypto";
import type { Tag } from "@millrace/contract/api/plant";
import type { TagWrite } from "@millrace/contract/api/write";
import type { Series } from "@millrace/contract/block/series";
import { systemClock } from "@millrace/contract/std/clock";
import { COMMAND_KINDS } from "@millrace/contract/wire/command";
import type { CommandOffer } from "@millrace/contract/wire/downlink";
import type { GatewayEvent } from "@millrace/contract/wire/event";
import { commandText } from "@millrace/contract/wire/signature";
import { inTransaction } from "../src/db/transaction.ts";
import { insertApiKey, insertGrants, insertPerson } from "../src/modules/people/store.ts";
import { tokenHash } from "../src/secret.ts";
import { type FakeGateway, frame } from "./fake-gateway.ts";
import { post } from "./hub.ts";
import { deliver, type Enrolled, plant, tell } from "./plant-hub.ts";

export const PASSWORD = "a long plant password";

const TAGS = [
  { name: "Pressure", address: "holding:0", dataType: "float32", unit: "bar", write: { min: 0, max: 100 } },
  { name: "Speed", address: "holding:2", dataType: "float32", write: { class: 2, min: 0, max: 10 } },
  { name: "Dose", address: "holding:4", dataType: "float32", write: { class: 3, min: 0, max: 10 } },
  { name: "Level", address: "holding:6", dataType: "float32" },
];

const one = (tagNo: number, value: number): Series => ({
  tagNo,
  kind: "double",
  timesMs: Float64Array.of(systemClock.nowMs()),
  values: Float64Array.of(value),
  quality: new Uint8Array(1),
  nulls: null,
  receivedMs: null,
});

/** A hub with a device whose tags may be written, its gateway played by the test, and people who may write. */
export async function writePlant() {
  const p = await plant();
  const { hub } = p;
  const gateway: Enrolled = await p.enrolled("A");
  const [profile] = (await hub.call<{ items: { id: string; revision: number }[] }>("GET", "/api/v1/profiles"))
    .body.items;
  const changed = await hub.call(
    "PUT",
    `/api/v1/profiles/${profile!.id}`,
    { name: "P", driver: "modbus", settings: {}, tags: TAGS },
    { "if-match": `"${profile!.revision}"` },
  );
  if (changed.status !== 200) throw new Error(JSON.stringify(changed.body));
  const { items } = (await hub.call<{ items: Tag[] }>("GET", "/api/v1/tags?limit=100")).body;
  const tagOf = (name: string) => items.find((tag) => tag.name === name)!.tagNo;
  const streams = [
    { lane: "E" as const, seg: 1, low: 1, next: 1_000, acked: 0 },
    { lane: "H" as const, seg: 1, low: 1, next: 1_000, acked: 0 },
  ];
  let seq = 0;
  const connect = () => p.connected(gateway, { streams, commandKinds: [...COMMAND_KINDS] });
  const fake: FakeGateway = await connect();
  const hold = (name: string, value: number, by = fake) =>
    deliver(by, ++seq, frame(seq, [one(tagOf(name), value)]));
  for (const { name } of TAGS) await hold(name, 5);
  let told = 0;
  return {
    ...p,
    gateway,
    fake,
    tagOf,
    hold,
    tell: (events: GatewayEvent[]) => tell(fake, ++told, events),
    /** The gateway tells what became of a write. */
    answer: (commandId: string, outcome: string, facts: Record<string, string | number | null> = {}) =>
      tell(fake, ++told, [
        {
          timeMs: systemClock.nowMs(),
          code: "command.done",
          severity: "info",
          message: `It is ${outcome}.`,
          data: {
            commandId,
            commandNo: told,
            outcome,
            before: 5,
            after: null,
            code: "",
            armedBy: null,
            ...facts,
          },
        },
      ]),
    /** Whether an offer is signed by this hub for this gateway. */
    isSigned({ command, signature }: CommandOffer, gatewayId = gateway.id): boolean {
      const { hubId, publicKey } = hub.identity;
      const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: publicKey }, format: "jwk" });
      const text = commandText({ hubId, gatewayId, command });
      return verify(null, Buffer.from(text), key, Buffer.from(signature ?? "", "base64url"));
    },
    /** Signs a person in who holds a role; their requests. */
    async person(name: string, role = "operator", siteId: string | null = null) {
      const id = Bun.randomUUIDv7();
      const email = `${name.toLowerCase()}@plant.example`;
      const passwordHash = await hub.people.passwords.hash(PASSWORD);
      await inTransaction(hub.database.db, async (tx) => {
        await insertPerson(tx, { id, name, email, passwordHash });
        await insertGrants(tx, { personId: id }, [{ role, siteId }]);
      });
      const entered = await post(hub, "/api/v1/sign-in/password", { email, password: PASSWORD });
      const cookie = entered.headers.get("set-cookie")?.split(";")[0] ?? "";
      const ask = async (path: string, body: unknown = {}) => {
        const response = await post(hub, path, body, cookie);
        const text = await response.text();
        return {
          status: response.status,
          body: (text === "" ? null : JSON.parse(text)) as TagWrite & { code: string },
        };
      };
      return {
        ask,
        select: (tag: string, value: unknown) => ask(`/api/v1/tags/${tagOf(tag)}/writes`, { value }),
        agree: (write: TagWrite) => ask(`/api/v1/tags/${write.tagNo}/writes/${write.id}/agree`),
        execute: (write: TagWrite) => ask(`/api/v1/tags/${write.tagNo}/writes/${write.id}/execute`),
        prove: () => ask("/api/v1/me/step-up/password", { password: PASSWORD }),
      };
    },
    /** A program that holds a role. */
    async program(role: string) {
      const key = `${role}-${"k".repeat(40)}`;
      await inTransaction(hub.database.db, (tx) =>
        insertApiKey(
          tx,
          { id: Bun.randomUUIDv7(), name: role, hash: tokenHash(key), createdAt: new Date() },
          [{ role, siteId: null }],
        ),
      );
      return (path: string, body: unknown = {}) =>
        hub.call<TagWrite & { code: string }>("POST", path, body, { authorization: `Bearer ${key}` });
    },
  };
}
