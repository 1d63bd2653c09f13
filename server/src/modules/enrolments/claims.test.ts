import { expect, test } from "bun:test";
import { generateKeyPairSync, sign } from "node:crypto";
import type { AuditState } from "@millrace/contract/api/audit";
import type { Claim, Enrolment } from "@millrace/contract/api/enrolment";
import type { Problem } from "@millrace/contract/api/problem";
import { enrolmentText } from "@millrace/contract/wire/signature";
import { type TestHub, testHub } from "../../../test/hub.ts";
import { ADDRESS_LIMITS } from "../../http/limit/throttle.ts";
import { verifyAudit } from "../audit/service.ts";

/** A machine with a key of its own that shows a token. */
function enrolment(claimToken: string) {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const body = { claimToken, publicKey: String(publicKey.export({ format: "jwk" }).x), software: "test" };
  return { body, signature: sign(null, Buffer.from(enrolmentText(body)), privateKey).toString("base64url") };
}

/** What whoever shows it is told, but for the id of the refusal. */
async function show(hub: TestHub, request: object, from = "203.0.113.1") {
  const headers = { "x-forwarded-for": from };
  const { status, body } = await hub.call<Enrolment & Problem>(
    "POST",
    "/api/v1/enrolments",
    request,
    headers,
  );
  const { traceId: _, ...told } = body;
  return { status, told, gatewayId: body.gatewayId };
}

async function gatewayAt(hub: TestHub, siteName: string): Promise<string> {
  const site = { name: siteName, kind: "site", parentId: null };
  const { id: siteId } = (await hub.call<{ id: string }>("POST", "/api/v1/sites", site)).body;
  const gateway = { name: `Gateway of ${siteName}`, siteId };
  return (await hub.call<{ id: string }>("POST", "/api/v1/gateways", gateway)).body.id;
}

const claimOf = async (hub: TestHub, id: string) =>
  (await hub.call<Claim>("POST", `/api/v1/gateways/${id}/claims`)).body.claimToken;

const audited = async (hub: TestHub, action: string): Promise<number> =>
  Number((await hub.database.sql`SELECT count(*)::int AS n FROM audit WHERE action = ${action}`)[0].n);

test("S40: of two that race with one token one wins, and the other is told what everybody else is", async () => {
  await using hub = await testHub();
  const id = await gatewayAt(hub, "North");
  for (let round = 1; round <= 5; round++) {
    const token = await claimOf(hub, id);
    const raced = await Promise.all(Array.from({ length: 2 }, () => show(hub, enrolment(token))));
    expect(raced.map(({ status }) => status).sort()).toEqual([200, 403]);
    expect(await audited(hub, "gateway.enrol")).toBe(round);
  }
  const rows = await hub.database.sql`SELECT epoch::int FROM gateway`;
  expect(rows.map(({ epoch }: { epoch: number }) => epoch)).toEqual([5]);
  expect(await verifyAudit(hub.database.db)).toBeNull();
});

test("S40: a token that was used, is too old, of another hub, of a revoked gateway or forged: the same 403", async () => {
  await using hub = await testHub();
  await using elsewhere = await testHub();
  const [north, south] = [await gatewayAt(hub, "North"), await gatewayAt(hub, "South")];
  const used = await claimOf(hub, north);
  expect((await show(hub, enrolment(used))).gatewayId).toBe(north);
  const old = await claimOf(hub, north);
  await hub.database.sql`UPDATE claim SET expires_at = now() - interval '1 second' WHERE used_at IS NULL`;
  const foreign = await claimOf(elsewhere, await gatewayAt(elsewhere, "North"));
  const revoked = await claimOf(hub, south);
  await hub.call("POST", `/api/v1/gateways/${south}/revoke`);
  const fresh = await claimOf(hub, north);
  const forged = { ...enrolment(fresh), signature: enrolment(fresh).signature };
  const refusals = [
    await show(hub, enrolment(used)),
    await show(hub, enrolment(old)),
    await show(hub, enrolment(foreign)),
    await show(hub, enrolment(revoked)),
    await show(hub, forged),
    await show(hub, enrolment("a guess of enough length")),
  ];
  for (const refusal of refusals) expect(refusal).toEqual(refusals[0]!);
  expect(refusals[0]).toMatchObject({ status: 403, told: { code: "claim.refused" } });
  // A token opens the one gateway it was made for, at its place, whoever shows it.
  expect((await show(hub, enrolment(fresh))).gatewayId).toBe(north);
});

test("S40: a thousand guesses, in a row or all together, are few that are looked at; others get in meanwhile, and an alarm says so", async () => {
  await using hub = await testHub({ trustedProxies: "127.0.0.1" });
  const id = await gatewayAt(hub, "North");
  const base = `http://127.0.0.1:${hub.listen()}/api/v1/enrolments`;
  const guess = async (from: string) => {
    const response = await fetch(base, {
      method: "POST",
      headers: { "content-type": "application/json", "x-forwarded-for": from },
      body: JSON.stringify(enrolment(`a guess of a claim token ${crypto.randomUUID()}`)),
    });
    await response.text();
    return response.status;
  };
  const together = await Promise.all(Array.from({ length: 300 }, () => guess("203.0.113.7")));
  const inARow: number[] = [];
  for (let i = 0; i < 700; i++) inARow.push(await guess("203.0.113.8"));
  for (const statuses of [together, inARow]) {
    expect(statuses.filter((status) => status !== 403 && status !== 429)).toEqual([]);
    const judged = statuses.filter((status) => status === 403).length;
    expect([judged > 0, judged <= 2 * ADDRESS_LIMITS.freeFailures, judged]).toEqual([true, true, judged]);
  }
  const token = await claimOf(hub, id);
  const response = await fetch(base, {
    method: "POST",
    headers: { "content-type": "application/json", "x-forwarded-for": "203.0.113.9" },
    body: JSON.stringify(enrolment(token)),
  });
  expect(response.status).toBe(200);
  const { guessing } = (await hub.call<AuditState>("GET", "/api/v1/audit/state")).body;
  expect(guessing?.count).toBeGreaterThanOrEqual(ADDRESS_LIMITS.freeFailures);
  await hub.audit.access.stop();
  // The first of them, and how many came after it.
  expect(await audited(hub, "access.wrongClaimToken")).toBeGreaterThanOrEqual(1);
});
