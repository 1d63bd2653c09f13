import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { FieldBrowseResult, FieldConnectionResult } from "@millrace/contract/api/field";
import type { Gateway } from "@millrace/contract/api/gateway";
import type { GatewayHealth } from "@millrace/contract/api/gateway-health";
import type { MachineCertificate, MachineCertificates } from "@millrace/contract/api/machine-certificate";
import type { Device, Profile, Site } from "@millrace/contract/api/plant";
import type { Problem } from "@millrace/contract/api/problem";
import { systemClock } from "@millrace/contract/std/clock";
import { type OpcuaPeer, opcuaPeer } from "../../../../gateway/src/drivers/opcua/peer.ts";
import { API_KEY, type TestHub, testHub } from "../../../test/hub.ts";
import { type RealGateway, realGateway } from "../../../test/real-gateway.ts";
import { inTransaction } from "../../db/transaction.ts";
import { tokenHash } from "../../secret.ts";
import { verifyAudit } from "../audit/service.ts";
import { insertApiKey } from "../people/store.ts";

/** The whole way: hub on PostgreSQL, a gateway as a process of its own, OPC UA servers of the node-opcua project. */
setDefaultTimeout(40_000);

let hub: TestHub;
let gateway: RealGateway;
let gatewayId: string;
let siteId: string;
let profileId: string;
let peer: OpcuaPeer;

type As = "admin" | "technician" | "engineer";
const keyOf = (as: As) => (as === "admin" ? API_KEY : `${as}-${"k".repeat(40)}`);
const call = <T>(method: string, path: string, body?: unknown, as: As = "admin", ifMatch?: number) =>
  hub.call<T>(method, `/api/v1${path}`, body, {
    authorization: `Bearer ${keyOf(as)}`,
    ...(ifMatch === undefined ? {} : { "if-match": `"${ifMatch}"` }),
  });

async function made<T>(path: string, body: unknown): Promise<T> {
  const { status, body: answer } = await call<T>("POST", path, body);
  if (status >= 300) throw new Error(JSON.stringify(answer));
  return answer;
}

async function until<T>(what: string, look: () => Promise<T | null | undefined | false>): Promise<T> {
  const startMs = systemClock.monoMs();
  for (;;) {
    const found = await look();
    if (found) return found;
    if (systemClock.monoMs() - startMs > 20_000) throw new Error(`waited in vain: ${what}`);
    await systemClock.sleep(50);
  }
}

beforeAll(async () => {
  [hub, peer] = await Promise.all([testHub(), opcuaPeer({ variables: 250 })]);
  hub.app.listen({ hostname: "127.0.0.1", port: 0 });
  siteId = (await made<Site>("/sites", { name: "Plant", kind: "site", parentId: null })).id;
  gatewayId = (await made<Gateway>("/gateways", { name: "Hall", siteId })).id;
  const tags = [{ name: "Level", address: "nsu=urn:millrace:peer;s=v7", dataType: "float64", scanMs: 100 }];
  profileId = (await made<Profile>("/profiles", { name: "Server", driver: "opcua", settings: {}, tags })).id;
  for (const role of ["technician", "engineer"] as const)
    await inTransaction(hub.database.db, (tx) =>
      insertApiKey(
        tx,
        { id: Bun.randomUUIDv7(), name: `The ${role}`, hash: tokenHash(keyOf(role)), createdAt: new Date() },
        [{ role, siteId: null }],
      ),
    );
  gateway = await realGateway(hub, gatewayId);
}, 60_000);

afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  await peer?.[Symbol.asyncDispose]();
  await hub?.app.stop(true);
  await hub?.[Symbol.asyncDispose]();
});

const endpoint = () => `opc.tcp://127.0.0.1:${peer.port}`;
const deviceOf = (name: string, settings: object) => ({ name, siteId, gatewayId, profileId, settings });
const linkOf = async (deviceId: string) => {
  const { body } = await call<GatewayHealth>("GET", `/gateways/${gatewayId}/health`);
  return body.devices.find((one) => one.deviceId === deviceId);
};
const linked = (deviceId: string, code: string) =>
  until(`link ${code || "up"}`, async () => {
    const link = await linkOf(deviceId);
    return link !== undefined && link.code === code && (code !== "" || link.tagsGood > 0) && link;
  });
const certificates = async () =>
  (await call<MachineCertificates>("GET", `/gateways/${gatewayId}/certificates`)).body.items;
const decide = (id: string, decision: string, as: As) =>
  call<MachineCertificate & Problem>(
    "POST",
    `/gateways/${gatewayId}/certificates/${id}/decision`,
    { decision },
    as,
  );
const actions = async (): Promise<{ action: string; new: Record<string, unknown> }[]> =>
  await hub.database.sql`SELECT action, new FROM audit ORDER BY no`;

test("S47: an unknown certificate is refused until a named person trusts it, and again when they refuse it", async () => {
  const device = await made<Device>("/devices", deviceOf("Press", { endpoint: endpoint(), publishMs: 100 }));
  await linked(device.id, "link.untrusted");
  const [met] = await until("a certificate", async () => {
    const found = await certificates();
    return found.length > 0 && found[0]!.devices.length > 0 && found;
  });
  expect(met).toMatchObject({
    endpoint: endpoint(),
    state: "waiting",
    reason: "Nobody has trusted it yet.",
    decidedBy: null,
    devices: [{ deviceId: device.id, path: "Plant/Press" }],
  });
  expect(met!.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  expect(met!.names.length).toBeGreaterThan(0);

  const { status } = await decide(met!.id, "trust", "technician");
  expect(status).toBe(403);
  expect((await linkOf(device.id))!.code).toBe("link.untrusted");

  const trusted = await decide(met!.id, "trust", "engineer");
  expect(trusted.body).toMatchObject({ state: "trusted", reason: "", decidedBy: "The engineer" });
  await linked(device.id, "");
  expect((await actions()).at(-1)).toMatchObject({
    action: "certificate.trust",
    new: { fingerprint: met!.fingerprint, devices: ["Plant/Press"], requestedBy: "The engineer" },
  });

  const refused = await decide(met!.id, "refuse", "engineer");
  expect(refused.body).toMatchObject({ state: "refused", reason: "The engineer refused it." });
  await linked(device.id, "link.untrusted");
  expect((await certificates()).map(({ state }) => state)).toEqual(["refused"]);
  expect(await verifyAudit(hub.database.db)).toBeNull();
});

test("S47: a server without protection is refused unless a named person chose that by its name", async () => {
  await using bare = await opcuaPeer({ insecure: true, variables: 8 });
  const at = { endpoint: `opc.tcp://127.0.0.1:${bare.port}`, publishMs: 100 };
  const device = await made<Device>("/devices", deviceOf("Old PLC", at));
  const refused = await linked(device.id, "setting.wrong");
  expect(refused.cause).toContain("it offers none-insecure");
  const body = deviceOf("Old PLC", { ...at, security: "none-insecure" });
  const path = `/devices/${device.id}`;
  expect((await call("PUT", path, body, "technician", device.revision)).status).toBe(403);
  expect((await linkOf(device.id))!.code).toBe("setting.wrong");
  expect((await call("PUT", path, body, "engineer", device.revision)).status).toBe(200);
  await linked(device.id, "");
  const [last] = await hub.database
    .sql`SELECT who, new FROM audit WHERE action = 'device.edit' ORDER BY no DESC`;
  expect(last.new.settings.security).toBe("none-insecure");
  expect(last.who).toStartWith("apiKey:");
});

test("a connection test shows the certificate that is not trusted, and the hub remembers it", async () => {
  await using other = await opcuaPeer();
  const settings = { endpoint: `opc.tcp://127.0.0.1:${other.port}` };
  const path = `/gateways/${gatewayId}/field/connection`;
  const { body } = await call<FieldConnectionResult>("POST", path, { driver: "opcua", settings });
  expect(body).toMatchObject({ ok: false, cause: { code: "link.untrusted" } });
  const { fingerprint } = body.cause!.certificate!;
  const met = (await certificates()).find((one) => one.fingerprint === fingerprint);
  expect(met).toMatchObject({ endpoint: settings.endpoint, state: "waiting", devices: [] });
  expect((await decide(met!.id, "trust", "engineer")).body.code).toBe("request.invalid");
  const trusted = { ...settings, serverFingerprint: fingerprint };
  const again = await call<FieldConnectionResult>("POST", path, { driver: "opcua", settings: trusted });
  expect(again.body).toMatchObject({ ok: true });
});

test("a server is looked through place by place and page by page, over one session", async () => {
  const settings = { endpoint: endpoint(), security: "none-insecure" };
  const browse = async (from: string, after = 0) => {
    const body = { driver: "opcua", settings, from, after };
    return (await call<FieldBrowseResult>("POST", `/gateways/${gatewayId}/field/browse`, body)).body;
  };
  const before = (await peer.counts()).sessions;
  const top = await browse("");
  const plant = top.nodes.find(({ name }) => name === "Plant")!;
  expect(plant).toMatchObject({ node: "nsu=urn:millrace:peer;s=Plant", holds: "places", leadsOn: true });
  const names: string[] = [];
  let pages = 0;
  for (let after: number | null = 0; after !== null; pages++) {
    const page: FieldBrowseResult = await browse(plant.node, after);
    names.push(...page.nodes.map(({ name }) => name));
    after = page.after;
    for (const one of page.nodes.filter(({ name }) => name === "v7"))
      expect(one).toMatchObject({ node: "nsu=urn:millrace:peer;s=v7", dataType: "float64", holds: "value" });
  }
  expect([pages, new Set(names).size, names.includes("v249")]).toEqual([3, 278, true]);
  expect((await peer.counts()).sessions - before).toBe(1);
  expect(await browse("nsu=urn:millrace:peer;s=Nothing")).toMatchObject({
    ok: false,
    nodes: [],
    cause: { code: "address.illegal" },
  });
});

test("a device without places of its own says so", async () => {
  const body = { driver: "modbus", settings: { host: "127.0.0.1" }, from: "" };
  const answer = await call<Problem>("POST", `/gateways/${gatewayId}/field/browse`, body);
  expect(answer.body.code).toBe("field.unsupported");
});
