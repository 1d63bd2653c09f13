import { expect, test } from "bun:test";
import type { GatewayCommand, GatewayCommands } from "@millrace/contract/api/command";
import type { Problem } from "@millrace/contract/api/problem";
import { systemClock } from "@millrace/contract/std/clock";
import { COMMAND_MS_MAX } from "@millrace/contract/wire/command";
import type { FakeGateway } from "../../../test/fake-gateway.ts";
import type { TestHub } from "../../../test/hub.ts";
import { plant, tell } from "../../../test/plant-hub.ts";
import { HUB, type Principal } from "../../http/principal.ts";
import { verifyAudit } from "../audit/service.ts";
import { inTurn } from "./in-turn.ts";
import { gatewayCommands, sendCommand } from "./service.ts";

/** What a person can ask a gateway to do, and what they learn of it. */

const NOBODY = "01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55";

/** Tells outcomes in one frame of lane E and waits until the hub has committed it. */
async function answer(fake: FakeGateway, seq: number, told: { commandId: string; outcome: string }[]) {
  const events = told.map(({ commandId, outcome }) => ({
    timeMs: systemClock.nowMs(),
    code: "command.done",
    severity: "info" as const,
    message: outcome,
    data: { commandId, commandNo: seq, outcome },
  }));
  await tell(fake, seq, events);
}

const shown = async (hub: TestHub, id: string) =>
  (await hub.call<GatewayCommand>("GET", `/api/v1/commands/${id}`)).body;

const kept = async (hub: TestHub): Promise<number> =>
  (await hub.database.sql`SELECT count(*)::int AS n FROM command`)[0].n;

test("a command goes to the gateway at once, and its outcome comes back with the events", async () => {
  await using p = await plant();
  const gateway = await p.enrolled("A");
  using fake = await p.connected(gateway);
  const { status, body } = await gateway.restart();
  expect(status).toBe(202);
  expect(body).toMatchObject({ gatewayId: gateway.id, commandNo: 1, state: "sent", answeredAt: null });
  expect(Date.parse(body.expiresAt) - Date.parse(body.requestedAt)).toBe(COMMAND_MS_MAX);
  expect((await fake.next("command")).command).toEqual({
    commandId: body.id,
    commandNo: 1,
    expiresMs: Date.parse(body.expiresAt),
    notBeforeMs: Date.parse(body.requestedAt),
    body: { kind: "restartDevice", deviceId: gateway.deviceId },
  });
  await answer(fake, 1, [{ commandId: body.id, outcome: "done" }]);
  const done = await shown(p.hub, body.id);
  expect(done.state).toBe("done");
  expect(done.answeredAt).not.toBeNull();
});

test("the first outcome counts, within a frame and after it", async () => {
  await using p = await plant();
  const gateway = await p.enrolled("A");
  using fake = await p.connected(gateway);
  const { id } = (await gateway.restart()).body;
  await answer(fake, 1, [
    { commandId: id, outcome: "failed" },
    { commandId: id, outcome: "done" },
  ]);
  const first = await shown(p.hub, id);
  expect(first.state).toBe("failed");
  await answer(fake, 2, [{ commandId: id, outcome: "done" }]);
  expect(await shown(p.hub, id)).toEqual(first);
});

test("an outcome nobody agreed on, or told by another gateway, changes nothing and holds nothing up", async () => {
  await using p = await plant();
  const [gateway, other] = [await p.enrolled("A"), await p.enrolled("B")];
  using _ = await p.connected(gateway);
  using foreign = await p.connected(other);
  const { id } = (await gateway.restart()).body;
  await answer(foreign, 1, [
    { commandId: id, outcome: "done" },
    { commandId: "no uuid", outcome: "done" },
    { commandId: NOBODY, outcome: "done" },
    { commandId: id, outcome: "perhaps" },
  ]);
  expect((await shown(p.hub, id)).state).toBe("sent");
});

test("a gateway that is away gets nothing, now or later", async () => {
  await using p = await plant();
  const gateway = await p.enrolled("A");
  const refused = await gateway.restart<Problem>();
  expect([refused.status, refused.body.code]).toEqual([409, "command.away"]);
  expect(await kept(p.hub)).toBe(0);
  using fake = await p.connected(gateway);
  await answer(fake, 1, [{ commandId: NOBODY, outcome: "done" }]);
  expect(fake.heard.map(({ type }) => type)).not.toContain("command");
});

test("a command that did not leave the hub has failed, and its number is spent", async () => {
  await using p = await plant();
  const gateway = await p.enrolled("A");
  const { db } = p.hub.database;
  const { vault, ingest, identity } = p.hub;
  const deps = { db, clock: systemClock, manifests: ingest.manifests, vault, identity, inTurn: inTurn() };
  const link = { commandNoOf: () => 0, takes: () => true, command: () => false };
  const ada: Principal = { kind: "person", id: "1", name: "Ada", email: "", grants: HUB.grants };
  const body = { kind: "restartDevice" as const, deviceId: gateway.deviceId };
  for (const _ of [1, 2])
    expect(sendCommand({ ...deps, link }, ada, gateway.id, body)).rejects.toMatchObject({
      code: "command.away",
    });
  await deps.inTurn(async () => undefined);
  const { items } = await gatewayCommands(deps, gateway.id);
  expect(items.map(({ commandNo, state }) => [commandNo, state])).toEqual([
    [2, "failed"],
    [1, "failed"],
  ]);
  expect(items[0]).toMatchObject({ requestedBy: "Ada" });
  expect(items[0]!.answeredAt).not.toBeNull();
});

test("older software, which shows no command number, gets no commands", async () => {
  await using p = await plant();
  const gateway = await p.enrolled("A");
  using _ = await p.connected(gateway, { commandNo: undefined });
  const refused = await gateway.restart<Problem>();
  expect([refused.status, refused.body.code]).toEqual([409, "command.refused"]);
  expect(await kept(p.hub)).toBe(0);
});

test("a device of another gateway, an unknown one and an unknown gateway are missing", async () => {
  await using p = await plant();
  const [gateway, other] = [await p.enrolled("A"), await p.enrolled("B")];
  using _ = await p.connected(gateway);
  const ask = async (gatewayId: string, deviceId: string) =>
    (
      await p.hub.call("POST", `/api/v1/gateways/${gatewayId}/commands`, {
        kind: "restartDevice",
        deviceId,
      })
    ).status;
  expect(await ask(gateway.id, other.deviceId)).toBe(404);
  expect(await ask(gateway.id, NOBODY)).toBe(404);
  expect(await ask(NOBODY, gateway.deviceId)).toBe(404);
  expect((await p.hub.call("GET", `/api/v1/commands/${NOBODY}`)).status).toBe(404);
  expect((await p.hub.call("GET", `/api/v1/gateways/${NOBODY}/commands`)).status).toBe(404);
  expect(await kept(p.hub)).toBe(0);
});

test("a command that expired without an answer may have run; a late answer still counts", async () => {
  await using p = await plant();
  const gateway = await p.enrolled("A");
  using fake = await p.connected(gateway);
  const { id } = (await gateway.restart()).body;
  await p.hub.database.sql`UPDATE command SET expires_at = now() - interval '1 second'`;
  expect(await shown(p.hub, id)).toMatchObject({ state: "unknown", answeredAt: null });
  await answer(fake, 1, [{ commandId: id, outcome: "done" }]);
  expect((await shown(p.hub, id)).state).toBe("done");
});

test("a restored hub goes on above the number its gateway knows, and gives none twice", async () => {
  await using p = await plant();
  const gateway = await p.enrolled("A");
  using _ = await p.connected(gateway, { commandNo: 41 });
  expect((await gateway.restart()).body.commandNo).toBe(42);
  // Neither the hub's own row nor the gateway's last hello is forgotten when the gateway shows less.
  using __ = await p.connected(gateway, { commandNo: 7 });
  expect((await gateway.restart()).body.commandNo).toBe(43);
  // A backup put back under a running hub: the live session knows what it sent.
  await p.hub.database.sql`DELETE FROM command`;
  await p.hub.database.sql`UPDATE gateway SET command_no = 0`;
  expect((await gateway.restart()).body.commandNo).toBe(44);
  // And with the session gone too, the gateway's hello alone says it.
  await p.hub.database.sql`DELETE FROM command`;
  await p.hub.database.sql`UPDATE gateway SET command_no = 0`;
  using ___ = await p.connected(gateway, { commandNo: 44 });
  expect((await gateway.restart()).body.commandNo).toBe(45);
});

test("commands at the same moment get numbers of their own and leave in their order", async () => {
  await using p = await plant();
  const gateway = await p.enrolled("A");
  using fake = await p.connected(gateway);
  const answers = await Promise.all(Array.from({ length: 8 }, () => gateway.restart()));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
  const left: number[] = [];
  while (left.length < answers.length) left.push((await fake.next("command")).command.commandNo);
  expect(left).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  const { items } = (await p.hub.call<GatewayCommands>("GET", `/api/v1/gateways/${gateway.id}/commands`))
    .body;
  expect(items.map(({ commandNo }) => commandNo)).toEqual(left.toReversed());
});

test("the list has the newest 50, of this gateway alone", async () => {
  await using p = await plant();
  const [gateway, other] = [await p.enrolled("A"), await p.enrolled("B")];
  await p.hub.database.sql`
    INSERT INTO command (id, gateway_no, command_no, body, requested_by, requested_at, expires_at)
    SELECT gen_random_uuid(), g.gateway_no, n, '{"kind":"restartDevice","deviceId":"01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55"}',
      'Ada', now(), now() FROM gateway g, generate_series(1, 60) AS n`;
  for (const { id } of [gateway, other]) {
    const { items } = (await p.hub.call<GatewayCommands>("GET", `/api/v1/gateways/${id}/commands`)).body;
    expect([items.length, items[0]!.commandNo, items.at(-1)!.commandNo]).toEqual([50, 60, 11]);
    expect(new Set(items.map(({ gatewayId }) => gatewayId))).toEqual(new Set([id]));
  }
});

test("what was asked, by whom, is in the audit with the name", async () => {
  await using p = await plant();
  const gateway = await p.enrolled("A");
  using _ = await p.connected(gateway);
  const { body } = await gateway.restart();
  const rows = await p.hub.database.sql`
    SELECT who, action, subject, new FROM audit ORDER BY no DESC LIMIT 1`;
  expect(rows[0].action).toBe("command.send");
  expect(rows[0].who).toStartWith("apiKey:");
  expect(rows[0].subject).toBe(`gateway:${gateway.id}`);
  expect(rows[0].new).toMatchObject({
    commandId: body.id,
    commandNo: 1,
    body: body.body,
    requestedBy: body.requestedBy,
  });
  expect(body.requestedBy).not.toBe("");
  expect(await verifyAudit(p.hub.database.db)).toBeNull();
});
