import { expect, test } from "bun:test";
import { join } from "node:path";
import { API_KEY, testHub } from "../../../test/hub.ts";

test("the simulated plant of the documentation is applied as it stands", async () => {
  await using hub = await testHub();
  const put = async (text: string) => {
    const headers = { authorization: `Bearer ${API_KEY}`, "content-type": "application/yaml" };
    return await hub.ask("/api/v1/config", { method: "PUT", headers, body: text });
  };
  // What a fresh start has already.
  const fresh =
    "millrace: 1\nsites:\n  Demo plant: {kind: site}\ngateways:\n  Gateway 1: {site: Demo plant}\n";
  expect((await put(fresh)).status).toBe(200);
  const text = await Bun.file(join(import.meta.dir, "../../../../docs/simulated-plant.yaml")).text();
  expect((await put(text)).status).toBe(200);
  const { items } = (await hub.call<{ items: unknown[] }>("GET", "/api/v1/devices?limit=100")).body;
  expect(items).toHaveLength(6);
});
