import { expect, setDefaultTimeout, test } from "bun:test";
import { rm } from "node:fs/promises";
import { decodeBlock } from "@millrace/contract/block/decode";
import { splitEnvelope } from "@millrace/contract/wire/frame";
import { IntakeRig, TOKEN_B } from "../../test/intake-rig.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { zstd } from "../outbox/zstd.ts";
import { INTAKE } from "./limits.ts";

setDefaultTimeout(20_000);

/** Values of history on disk. */
async function stored(outbox: Outbox): Promise<unknown[]> {
  const values: unknown[] = [];
  for (let seq = 0; ; ) {
    const { last, bytes } = await outbox.frames({ lane: "H", seg: 1 }, seq, 256 * 1024);
    if (bytes === null) return values;
    for (const { header, body } of splitEnvelope(bytes))
      if (header.kind === "data")
        for (const series of decodeBlock(body, zstd))
          values.push(...[...series.values].filter((_, at) => series.nulls?.[at] !== 1));
    seq = last;
  }
}

test("200 means on disk; the same key gives the same answer and stores nothing, also after a restart", async () => {
  const first = await IntakeRig.start();
  const key = { "idempotency-key": "k1" };
  const answer = await first.post("/in/press/state", '{"v":7}', key);
  expect(answer.status).toBe(200);
  const said = await answer.text();
  expect(JSON.parse(said)).toEqual({ stored: true, tags: 1, bad: 0 });
  // On disk now, not with the next tick, which is a minute away.
  expect(await stored(first.outbox)).toEqual([7]);
  const again = await first.post("/in/press/state", '{"v":7}', key);
  expect([again.status, await again.text(), again.headers.get("idempotent-replayed")]).toEqual([
    200,
    said,
    "true",
  ]);
  await first.stop();

  await using second = await IntakeRig.start({}, first.folder);
  const late = await second.post("/in/press/state", '{"v":7}', key);
  expect([late.status, await late.text()]).toEqual([200, said]);
  expect(await stored(second.outbox)).toEqual([7]);
  // Another message under a used key is a mistake of the sender; another login has keys of its own.
  expect((await second.post("/in/press/state", '{"v":8}', key)).status).toBe(409);
  const other = await second.post("/in/oven/temp", "200", { ...key, authorization: `Bearer ${TOKEN_B}` });
  expect(other.status).toBe(200);
});

test("a request that comes twice at once is stored once", async () => {
  await using rig = await IntakeRig.start();
  const key = { "idempotency-key": "twice" };
  const answers = await Promise.all(Array.from({ length: 8 }, () => rig.post("/in/press/temp", "5", key)));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  expect(await stored(rig.outbox)).toEqual([5]);
});

test("what is no value is stored as bad, and said", async () => {
  await using rig = await IntakeRig.start();
  const answer = await rig.post("/in/press/state", '{"v":"x"}');
  expect(await answer.json()).toEqual({ stored: true, tags: 1, bad: 1 });
  expect(rig.values).toEqual([]);
});

test.each<[string, string, string, Record<string, string>, number]>([
  ["no token", "/in/press/temp", "1", { authorization: "" }, 401],
  ["another device's token", "/in/press/temp", "1", { authorization: `Bearer ${TOKEN_B}` }, 401],
  ["nobody's login", "/in/nobody/temp", "1", {}, 401],
  ["no key", "/in/press/temp", "1", { "idempotency-key": "" }, 422],
  ["no JSON", "/in/press/temp", "{", {}, 400],
  [
    "too deep",
    "/in/press/temp",
    `${"[".repeat(INTAKE.depthMax + 1)}${"]".repeat(INTAKE.depthMax + 1)}`,
    {},
    400,
  ],
  ["too large", "/in/press/temp", `"${"x".repeat(INTAKE.bytesMax)}"`, {}, 413],
  ["another type", "/in/press/temp", "1", { "content-type": "text/xml" }, 400],
  ["compressed", "/in/press/temp", "1", { "content-encoding": "gzip" }, 400],
  ["a topic for commands", "/in/press/cmd/start", "1", {}, 422],
  ["a wildcard", "/in/press/%23", "1", {}, 422],
  ["no tag there", "/in/press/other", "1", {}, 422],
  ["another address", "/", "1", {}, 404],
])("%s is refused and stores nothing", async (_what, path, body, headers, status) => {
  await using rig = await IntakeRig.start({ intakeMqttHost: "" });
  const answer = await rig.post(path, body, headers).catch(() => null);
  // The server may hang up on a body over the limit before it is read.
  if (answer !== null) expect(answer.status).toBe(status);
  expect(rig.values).toEqual([]);
  expect(await stored(rig.outbox)).toEqual([]);
});

test("who sends faster than allowed is told to wait", async () => {
  await using rig = await IntakeRig.start();
  const statuses = new Set<number>();
  for (let at = 0; at < INTAKE.burst + 50; at++) rig.intake.desk.waitMs("press");
  const answer = await rig.post("/in/press/temp", "1");
  statuses.add(answer.status);
  expect([...statuses]).toEqual([429]);
  expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
  expect((await rig.post("/in/oven/temp", "1", { authorization: `Bearer ${TOKEN_B}` })).status).toBe(200);
});

test("a device that is not configured any more is not answered with 200", async () => {
  const rig = await IntakeRig.start();
  await rig.fleet.apply({ rev: 2, devices: [] });
  expect((await rig.post("/in/press/temp", "1")).status).toBe(401);
  await rig.stop();
  await rm(rig.folder, { recursive: true });
});
