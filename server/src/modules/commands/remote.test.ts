import { expect, test } from "bun:test";
import type { GatewayCommand } from "@millrace/contract/api/command";
import type { Problem } from "@millrace/contract/api/problem";
import { COMMAND_KINDS } from "@millrace/contract/wire/command";
import { type Enrolled, type Plant, plant } from "../../../test/plant-hub.ts";
import { verifyAudit } from "../audit/service.ts";

/** Restarting a gateway or a device from afar, and hearing more of it for a while. */

const NEW = { commandKinds: [...COMMAND_KINDS] };
const NOBODY = "01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55";

const ask = <T = GatewayCommand>(p: Plant, { id }: Pick<Enrolled, "id">, path: string, body: unknown) =>
  p.hub.call<T>("POST", `/api/v1/gateways/${id}/${path}`, body);

test("each of the three becomes its command, once, and is in the audit", async () => {
  await using p = await plant();
  const gateway = await p.enrolled("A");
  using fake = await p.connected(gateway, NEW);
  const { deviceId } = gateway;
  for (const [path, body, command] of [
    ["restart", { what: "gateway" }, { kind: "restartGateway" }],
    ["restart", { what: "device", deviceId }, { kind: "restartDevice", deviceId }],
    ["log-level", { level: "debug", minutes: 240 }, { kind: "setLogLevel", level: "debug", minutes: 240 }],
  ] as const) {
    const { status, body: sent } = await ask(p, gateway, path, body);
    expect([status, sent.body, sent.state]).toEqual([202, command, "sent"]);
    expect((await fake.next("command")).command).toMatchObject({ commandId: sent.id, body: command });
    const rows = await p.hub.database.sql`SELECT action, subject, new FROM audit ORDER BY no DESC LIMIT 1`;
    expect([rows[0].action, rows[0].subject]).toEqual(["command.send", `gateway:${gateway.id}`]);
    expect(rows[0].new).toMatchObject({ commandId: sent.id, body: command });
  }
  expect(fake.heard.filter(({ type }) => type === "command")).toHaveLength(3);
  expect(await verifyAudit(p.hub.database.db)).toBeNull();
});

test("nothing waits for a gateway that is away, and nothing is there when it comes", async () => {
  await using p = await plant();
  const gateway = await p.enrolled("A");
  for (const [path, body] of [
    ["restart", { what: "gateway" }],
    ["log-level", { level: "debug", minutes: 5 }],
  ] as const) {
    const { status, body: refused } = await ask<Problem>(p, gateway, path, body);
    expect([status, refused.code]).toEqual([409, "command.away"]);
    expect(refused.nextStep).not.toBe("");
  }
  expect((await p.hub.database.sql`SELECT count(*)::int AS n FROM command`)[0].n).toBe(0);
  using fake = await p.connected(gateway, NEW);
  await Bun.sleep(300);
  expect(fake.heard.map(({ type }) => type)).not.toContain("command");
});

test("a gateway whose software does not know the command never gets it", async () => {
  await using p = await plant();
  const gateway = await p.enrolled("A");
  using fake = await p.connected(gateway);
  const refused = await ask<Problem>(p, gateway, "restart", { what: "gateway" });
  expect([refused.status, refused.body.code]).toEqual([409, "command.refused"]);
  expect(refused.body.detail).toContain("restartGateway");
  const device = await ask(p, gateway, "restart", { what: "device", deviceId: gateway.deviceId });
  expect(device.status).toBe(202);
  await fake.next("command");
  expect(fake.heard.filter(({ type }) => type === "command")).toHaveLength(1);
});

test("what makes no sense is refused before anything is written", async () => {
  await using p = await plant();
  const gateway = await p.enrolled("A");
  using _ = await p.connected(gateway, NEW);
  for (const [path, body, status] of [
    ["restart", {}, 422],
    ["restart", { what: "hub" }, 422],
    ["restart", { what: "device" }, 422],
    ["restart", { what: "device", deviceId: NOBODY }, 404],
    ["log-level", { level: "trace", minutes: 5 }, 422],
    ["log-level", { level: "debug", minutes: 0 }, 422],
    ["log-level", { level: "debug", minutes: 241 }, 422],
    ["log-level", { level: "debug", minutes: 1.5 }, 422],
    ["log-level", { level: "debug" }, 422],
  ] as const)
    expect([path, body, (await ask(p, gateway, path, body)).status]).toEqual([path, body, status]);
  expect((await ask(p, { id: NOBODY }, "restart", { what: "gateway" })).status).toBe(404);
  expect((await p.hub.database.sql`SELECT count(*)::int AS n FROM command`)[0].n).toBe(0);
  const unasked = await p.hub.ask(`/api/v1/gateways/${gateway.id}/restart`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ what: "gateway" }),
  });
  expect(unasked.status).toBe(401);
});
