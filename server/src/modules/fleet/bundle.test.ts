import { expect, test } from "bun:test";
import type { Gateway } from "@millrace/contract/api/gateway";
import type { Site } from "@millrace/contract/api/plant";
import type { Problem } from "@millrace/contract/api/problem";
import { BUNDLE, SupportBundle } from "@millrace/contract/api/support-bundle";
import { systemClock } from "@millrace/contract/std/clock";
import { REDACTED } from "@millrace/contract/std/redact";
import { Value } from "@sinclair/typebox/value";
import { plant, tell } from "../../../test/plant-hub.ts";
import { verifyAudit } from "../audit/service.ts";

/** One document for whoever helps from afar: everything useful in it, and no secret. */

const CANARY = "CANARY-7f3a";
const NOBODY = "01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55";

test("S39: a planted secret is not in the bundle, wherever it was planted; what is useful is", async () => {
  await using p = await plant();
  const gateway = await p.enrolled("A");
  const { sql } = p.hub.database;
  // As a protocol with a password would have it: by name, deeper down, and in an address.
  const settings = {
    host: "10.0.0.1",
    unit: 1,
    password: CANARY,
    user: { name: "ada", pin: `${CANARY}-2` },
    url: `mqtt://ada:${CANARY}@10.0.0.1`,
  };
  await sql`UPDATE device SET settings = ${settings}::jsonb`;
  await p.hub.ingest.manifests.changed([gateway.id]);
  using fake = await p.connected(gateway);
  const timeMs = systemClock.nowMs();
  const record = (message: string, data: Record<string, string | number>) => ({
    timeMs,
    code: "log.record",
    severity: "warning" as const,
    message,
    data: { level: "warning", logger: "gateway.device", ...data },
  });
  const fact = { timeMs, severity: "info" as const, data: { logLevel: "info", claimToken: CANARY } };
  await tell(fake, 1, [
    { ...fact, code: "gateway.settings", message: `started with ${CANARY}` },
    record(`signed in with ${CANARY} at the press`, { note: `${CANARY}-2`, tries: 3 }),
    record("header Authorization: Bearer CANARY-else", { token: "CANARY-else" }),
  ]);
  const answer = await p.hub.ask(`/api/v1/gateways/${gateway.id}/support-bundle`, {
    headers: { authorization: `Bearer ${"k".repeat(40)}` },
  });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-disposition")).toBe(`attachment; filename="gateway-${gateway.id}.json"`);
  const text = await answer.text();
  // The planted values were really there to be found.
  expect(JSON.stringify(await sql`SELECT json FROM manifest`)).toContain(CANARY);
  expect(JSON.stringify(await sql`SELECT message FROM gateway_log`)).toContain(CANARY);
  expect(text).not.toContain("CANARY");
  const bundle = JSON.parse(text) as SupportBundle;
  expect([...Value.Errors(SupportBundle, bundle)]).toEqual([]);
  expect(bundle).toMatchObject({
    hub: { software: "millrace-hub 0.1.0", database: expect.stringMatching(/^\d+/) },
    gateway: { id: gateway.id, name: "A", status: null },
    health: { link: { linkState: "up" } },
    settings: { logLevel: "info" },
    manifest: {
      rev: 2,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      devices: [
        {
          name: "A",
          driver: "modbus",
          settings: { host: "10.0.0.1", unit: 1, password: REDACTED, user: { name: "ada" } },
        },
      ],
    },
    cut: { logs: false, events: false, devices: false },
  });
  expect(bundle.logs).toHaveLength(2);
  expect(bundle.logs.map(({ message }) => message)).toContain(`signed in with ${REDACTED} at the press`);
  expect(bundle.events.map(({ code }) => code)).toEqual(["gateway.settings"]);
});

test("no key of the hub or the gateway, no claim and no password of a person is in it", async () => {
  await using p = await plant();
  const gateway = await p.enrolled("A");
  const claim = await p.hub.call<{ claimToken: string }>("POST", `/api/v1/gateways/${gateway.id}/claims`);
  const text = JSON.stringify(
    (await p.hub.call("GET", `/api/v1/gateways/${gateway.id}/support-bundle`)).body,
  );
  const key = gateway.key.export({ format: "jwk" });
  for (const secret of [claim.body.claimToken, String(key.d), "k".repeat(40)]) {
    expect(secret.length).toBeGreaterThan(10);
    expect(text).not.toContain(secret);
  }
});

test("it is bounded and says where there was more, and that it was made is in the audit", async () => {
  await using p = await plant();
  const gateway = await p.enrolled("A");
  const { sql } = p.hub.database;
  await sql`
    INSERT INTO gateway_log (gateway_no, epoch, seg, seq, position, at, level, logger, message, data, received_at)
    SELECT g.gateway_no, 1, 1, n, 0, n, 'info', '', n::text, '{}', now()
    FROM gateway g, generate_series(1, ${BUNDLE.logsMax + 1}::int) AS n`;
  await sql`
    INSERT INTO gateway_event (gateway_no, epoch, seg, seq, position, at, code, severity, message, data, received_at)
    SELECT g.gateway_no, 1, 1, n, 0, n, 'gateway.started', 'info', '', '{}', now()
    FROM gateway g, generate_series(1, ${BUNDLE.eventsMax + 1}::int) AS n`;
  const { body } = await p.hub.call<SupportBundle>("GET", `/api/v1/gateways/${gateway.id}/support-bundle`);
  expect([body.logs.length, body.events.length]).toEqual([BUNDLE.logsMax, BUNDLE.eventsMax]);
  expect(body.logs[0]!.message).toBe(String(BUNDLE.logsMax + 1));
  expect(body.cut).toEqual({ logs: true, events: true, devices: false });
  const rows = await sql`SELECT action, subject FROM audit ORDER BY no DESC LIMIT 1`;
  expect({ ...rows[0] }).toEqual({ action: "gateway.supportBundle", subject: `gateway:${gateway.id}` });
  expect(await verifyAudit(p.hub.database.db)).toBeNull();
});

test("one of a gateway without anything is made too; of an unknown one, or for a stranger, none", async () => {
  await using p = await plant();
  const site = await p.hub.call<Site>("POST", "/api/v1/sites", {
    name: "Other",
    kind: "site",
    parentId: null,
  });
  const bare = await p.hub.call<Gateway>("POST", "/api/v1/gateways", {
    name: "B",
    siteId: site.body.id,
  });
  const { status, body } = await p.hub.call<SupportBundle>(
    "GET",
    `/api/v1/gateways/${bare.body.id}/support-bundle`,
  );
  expect([status, body.manifest, body.settings, body.logs.length]).toEqual([200, null, null, 0]);
  const missing = await p.hub.call<Problem>("GET", `/api/v1/gateways/${NOBODY}/support-bundle`);
  expect([missing.status, missing.body.code]).toEqual([404, "entity.missing"]);
  expect((await p.hub.ask(`/api/v1/gateways/${bare.body.id}/support-bundle`)).status).toBe(401);
});
