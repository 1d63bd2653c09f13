import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConfigDiff, ConfigDocument } from "@millrace/contract/api/config";
import type { Claim } from "@millrace/contract/api/enrolment";
import type { Gateway } from "@millrace/contract/api/gateway";
import type { Latest } from "@millrace/contract/api/history";
import type { Device, Tag } from "@millrace/contract/api/plant";
import type { Rollout, RolloutCreate } from "@millrace/contract/api/rollout";
import { type Child, startProgram } from "../stack/child.ts";
import { Stack } from "../stack/stack.ts";
import { eventually } from "./browser.ts";

/**
 * A change of one kind of machine goes to many real gateways in stages. MILLRACE_ROLLOUT_GATEWAYS (4) of them; the run
 * with 20 is for a machine that has nothing else to do.
 */
const GATEWAYS = Number(process.env.MILLRACE_ROLLOUT_GATEWAYS ?? 4);
const OBSERVE_S = 6;

let folder: string;
let stack: Stack;
const programs = new Map<string, Child>();
const nameOf = (i: number) => `Hall ${String(i).padStart(2, "0")}`;

/** The halls' presses, all of one kind. No range is given: a wrong byte order shows by the values alone. */
function halls(settings: Record<string, unknown>, deadband: number): ConfigDocument {
  const all = Array.from({ length: GATEWAYS }, (_, i) => i);
  return {
    millrace: 1,
    profiles: {
      "Press of the halls": {
        driver: "modbus",
        settings: { timeoutMs: 1_000, ...settings },
        tags: [
          {
            name: "Oil temperature",
            address: "holding:0",
            dataType: "float32",
            unit: "°C",
            scanMs: 500,
            deadband,
          },
          { name: "Oil pressure", address: "holding:2", dataType: "float32", unit: "bar", scanMs: 500 },
          { name: "Strokes", address: "holding:4", dataType: "uint32" },
        ],
      },
    },
    sites: { Halls: { kind: "site" } },
    gateways: Object.fromEntries(all.map((i) => [nameOf(i), { site: "Halls" }])),
    devices: Object.fromEntries(
      all.map((i) => [
        `Halls/Press ${nameOf(i)}`,
        {
          profile: "Press of the halls",
          gateway: nameOf(i),
          settings: { host: "127.0.0.1", port: stack.ports.presses, unit: 1 },
        },
      ]),
    ),
  };
}

async function startGateway(name: string): Promise<void> {
  const { items } = await stack.api.get<{ items: Gateway[] }>("/gateways?limit=1000");
  const { id } = items.find((gateway) => gateway.name === name)!;
  const { claimToken } = await stack.api.post<Claim>(`/gateways/${id}/claims`, {});
  const program = startProgram(name, "gateway/src/main.ts", {
    env: {
      MILLRACE_DATA: join(folder, name),
      MILLRACE_LOG_FORMAT: "json",
      MILLRACE_HUB_URL: stack.hubUrl,
      MILLRACE_LOCAL_PORT: "0",
      MILLRACE_CLAIM_TOKEN: claimToken,
    },
  });
  programs.set(name, program);
  await program.event("gateway.ready");
}

const tagsOfHalls = async () => (await stack.api.all<Tag>("/tags?q=Halls/")).map(({ tagNo }) => tagNo);

const latest = async (tagNos: readonly number[]) =>
  (await stack.api.get<{ items: Latest[] }>(`/latest?tags=${tagNos.join(",")}`)).items;

/** Share of the tags whose newest value is good and a few seconds old at most. */
async function freshShare(tagNos: readonly number[]): Promise<number> {
  const fresh = (await latest(tagNos)).filter(
    ({ quality, time }) => quality.startsWith("good") && Date.now() - Date.parse(time ?? "") < 15_000,
  );
  return fresh.length / tagNos.length;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "millrace-rollout-"));
  stack = await Stack.start({ folder });
  await stack.api.put("/config", halls({}, 0.1));
  for (let i = 0; i < GATEWAYS; i += 4)
    await Promise.all(
      Array.from({ length: Math.min(4, GATEWAYS - i) }, (_, k) => startGateway(nameOf(i + k))),
    );
  const tagNos = await tagsOfHalls();
  await eventually(
    "all halls live",
    () => freshShare(tagNos),
    (share) => share === 1,
    60_000,
  );
}, 180_000);

afterAll(async () => {
  await Promise.all([...programs.values()].map((program) => program.stop()));
  await stack?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
}, 60_000);

async function rolledOut(document: ConfigDocument, over: Partial<RolloutCreate> = {}): Promise<Rollout> {
  const body = { document, observeS: OBSERVE_S, ...over };
  const { id } = await stack.api.post<Rollout>("/rollouts", body);
  return await eventually(
    "the end of the rollout",
    () => stack.api.get<Rollout>(`/rollouts/${id}`),
    ({ state }) => state !== "running",
    120_000,
  );
}

test("a wrong word order stops at the first gateway, and is taken back by itself", async () => {
  const beganMs = performance.now();
  const end = await rolledOut(halls({ wordOrder: "low-first" }, 0.1), { comment: "As the manual says" });
  console.log(
    `stopped and back after ${((performance.now() - beganMs) / 1_000).toFixed(1)} s: ${end.reason}`,
  );
  expect(end.state).toBe("rolledBack");
  expect(end.reason).toContain("Good values fell from 100 %");
  const states = end.gateways.map(({ state }) => state);
  expect(states.filter((state) => state === "failed")).toHaveLength(1);
  expect(states.filter((state) => state === "waiting")).toHaveLength(GATEWAYS - 1);
  const versions = await stack.api.get<{ items: { version: number; comment: string }[] }>(
    "/config/versions?limit=1",
  );
  const newest = versions.items[0]!;
  expect(newest.comment).toContain("taken back");
  const diff = await stack.api.get<ConfigDiff>(`/config/diff?from=${end.backTo}&to=${newest.version}`);
  expect(diff.changes).toEqual([]);
  const tagNos = await tagsOfHalls();
  await eventually(
    "the first gateway well again",
    () => freshShare(tagNos),
    (share) => share === 1,
    30_000,
  );
}, 180_000);

test("a good change reaches everybody, the first one first; meanwhile nothing else may reach them", async () => {
  const body = {
    document: halls({}, 0.5),
    observeS: OBSERVE_S,
    stages: [{ gateways: [nameOf(1)] }, { share: 0.5 }],
  };
  const { id } = await stack.api.post<Rollout>("/rollouts", body);
  await expect(stack.api.put("/config", halls({}, 0.7))).rejects.toThrow("entity.conflict");
  const end = await eventually(
    "the end of the rollout",
    () => stack.api.get<Rollout>(`/rollouts/${id}`),
    ({ state }) => state !== "running",
    120_000,
  );
  expect([end.state, end.reason, end.stages]).toEqual(["done", "", 3]);
  expect(end.gateways.map(({ state }) => state)).toEqual(Array(GATEWAYS).fill("passed"));
  expect(end.gateways.filter(({ stage }) => stage === 0).map(({ name }) => name)).toEqual([nameOf(1)]);
  const tags = await stack.api.all<Tag>("/tags?q=Halls/");
  expect(
    tags.filter(({ name }) => name === "Oil temperature").every(({ deadband }) => deadband === 0.5),
  ).toBe(true);
  const { items } = await stack.api.get<{ items: Gateway[] }>("/gateways?limit=1000");
  for (const gateway of items) expect(gateway.manifestRunning).toBe(gateway.manifestWanted);
}, 180_000);

test("a person stops a rollout; a gateway whose machine was replaced is back with all of its configuration", async () => {
  const { id } = await stack.api.post<Rollout>("/rollouts", { document: halls({}, 0.9), observeS: 600 });
  const stopped = await stack.api.post<Rollout>(`/rollouts/${id}/stop`, {});
  expect([stopped.state, stopped.reason]).toEqual(["rolledBack", expect.stringContaining("Stopped by")]);
  const name = nameOf(2);
  await programs.get(name)!.stop();
  rmSync(join(folder, name), { recursive: true, force: true });
  const device = (await stack.api.all<Device>("/devices")).find(({ path }) => path.endsWith(name))!;
  const tags = await stack.api.all<Tag>(`/tags?deviceId=${device.id}`);
  const beganMs = Date.now();
  await startGateway(name);
  await eventually(
    "new values of the replaced gateway",
    () => latest(tags.map(({ tagNo }) => tagNo)),
    (items) => items.every(({ time }) => Date.parse(time ?? "") >= beganMs),
    30_000,
  );
  console.log(`a wiped gateway is back at work after ${((Date.now() - beganMs) / 1_000).toFixed(1)} s`);
}, 60_000);
