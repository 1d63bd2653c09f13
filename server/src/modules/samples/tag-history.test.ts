import { expect, test } from "bun:test";
import type { TagHistory } from "@millrace/contract/api/history";
import { addPlant } from "../../../test/add-plant.ts";
import { API_KEY, testHub } from "../../../test/hub.ts";

test("a tag tells what it has stored", async () => {
  await using hub = await testHub();
  const { float, text } = await addPlant(hub);
  const of = async (tagNo: number) =>
    (await hub.call<TagHistory>("GET", `/api/v1/tags/${tagNo}/history`)).body;
  expect(await of(float.tagNo)).toMatchObject({ oldest: null, newest: null, retention: "standard" });
  const at = (second: number) => `2026-11-01T10:00:0${second}.000Z`;
  await hub.ask("/api/v1/samples/import", {
    method: "POST",
    headers: { authorization: `Bearer ${API_KEY}`, "content-type": "text/csv", "idempotency-key": "k" },
    body: `tag,time,value\n${float.tagNo},${at(1)},1\n${float.tagNo},${at(3)},2\n${text.tagNo},${at(5)},x`,
  });
  expect(await of(float.tagNo)).toMatchObject({ oldest: at(1), newest: at(3), samplesPerDay: null });
  expect(await of(text.tagNo)).toMatchObject({ oldest: at(5), newest: at(5) });
  expect((await hub.call("GET", "/api/v1/tags/999/history")).status).toBe(404);
});
