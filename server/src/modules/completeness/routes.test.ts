import { expect, test } from "bun:test";
import type { Completeness } from "@millrace/contract/api/completeness";
import type { Device, Profile, Site } from "@millrace/contract/api/plant";
import { systemClock } from "@millrace/contract/std/clock";
import { testHub } from "../../../test/hub.ts";

const DAY = 86_400_000;
const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);

test("a new tag is due from now on, and nobody without the right is told so", async () => {
  await using hub = await testHub();
  const post = async <T>(path: string, body: unknown) =>
    (await hub.call<T & { id: string }>("POST", `/api/v1${path}`, body)).body;
  const site = await post<Site>("/sites", { name: "Plant", kind: "site", parentId: null });
  const tags = [{ name: "Count", address: "holding:2", dataType: "uint32" }];
  const profile = await post<Profile>("/profiles", { name: "P", driver: "modbus", settings: {}, tags });
  const gateway = await post("/gateways", { name: "GW", siteId: site.id });
  const at = { profileId: profile.id, gatewayId: gateway.id, siteId: site.id };
  const device = await post<Device>("/devices", {
    name: "D",
    ...at,
    settings: { host: "10.0.0.1", unit: 1 },
  });
  const noted = await hub.database.sql`SELECT since FROM coverage_tag`;
  expect(noted).toHaveLength(1);
  const nowMs = systemClock.nowMs();
  const path = `/api/v1/completeness?device=${device.id}&from=${day(nowMs - DAY)}&to=${day(nowMs + DAY)}`;
  const { status, body } = await hub.call<Completeness>("GET", path);
  expect([status, body.tagCount, body.days.map(({ expected }) => expected)]).toEqual([200, 1, [0, 0, 0]]);
  expect(body.days.map(({ share }) => share)).toEqual([null, null, null]);
  // Two hours later and nothing came: the gateway never had a link, so nothing is on its way either.
  await hub.database.sql`UPDATE coverage_tag SET since = ${new Date(nowMs - 2 * 3_600_000)}`;
  const later = (await hub.call<Completeness>("GET", `${path}&offsetMinutes=60`)).body.days;
  const missing = later.reduce((sum, each) => sum + each.missing, 0);
  expect(missing).toBeGreaterThanOrEqual(118);
  expect(later.reduce((sum, each) => sum + each.causes.gatewayOff, 0)).toBe(missing);
  expect((await hub.ask(path)).status).toBe(401);
  expect((await hub.call("GET", `${path}&offsetMinutes=900`)).status).toBe(422);
  expect((await hub.call("GET", "/api/v1/completeness?tag=1&from=2026-13-01&to=2026-13-02")).status).toBe(
    422,
  );
});
