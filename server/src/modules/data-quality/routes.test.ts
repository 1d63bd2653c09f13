import { expect, test } from "bun:test";
import { DataQuality } from "@millrace/contract/api/data-quality";
import { Value } from "@sinclair/typebox/value";
import { addPlant } from "../../../test/add-plant.ts";
import { testHub } from "../../../test/hub.ts";

test("the route answers as the contract says, to those who may read samples", async () => {
  await using hub = await testHub();
  const { float } = await addPlant(hub);
  const path = "/api/v1/data-quality";
  const answer = await hub.call<DataQuality>("GET", `${path}?deviceId=${float.deviceId}&window=7d`);
  expect([...Value.Errors(DataQuality, answer.body)]).toEqual([]);
  expect(answer.body).toMatchObject({ window: "7d", gateway: null, nextCursor: null });
  const { gatewayId, scores } = answer.body.items[0]!;
  // Added a moment ago: nothing was due, and nothing is made up.
  expect(scores.overall).toEqual({ percent: null, why: "partUnknown", weakest: null });
  const whole = await hub.call<DataQuality>("GET", `${path}?gatewayId=${gatewayId}`);
  expect([whole.status, whole.body.window, whole.body.gateway?.tagCount]).toEqual([200, "24h", 7]);
  for (const wrong of [
    "?window=1h",
    "?deviceId=1",
    "?limit=201",
    "?cursor=x",
    `?deviceId=${gatewayId}&gatewayId=${gatewayId}`,
  ])
    expect([wrong, (await hub.call("GET", path + wrong)).status]).toEqual([wrong, 422]);
  expect((await hub.call("GET", `${path}?gatewayId=${float.deviceId}`)).status).toBe(404);
  expect((await hub.ask(path)).status).toBe(401);
});
