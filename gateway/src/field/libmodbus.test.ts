import { afterAll, beforeAll, expect, test } from "bun:test";
import { declarationOf } from "@millrace/contract/driver/registry";
import { decodeSettings } from "@millrace/contract/driver/settings";
import { systemClock } from "@millrace/contract/std/clock";
import type { FieldPoint, FieldResult } from "@millrace/contract/wire/field";
import { LIMITS } from "@millrace/contract/wire/limits";
import { FakeSink, fakeDevice, fakeTag } from "../../test/fake-plant.ts";
import { type LibmodbusPeer, libmodbusPeer } from "../../test/libmodbus-peer.ts";
import { until } from "../../test/uplink-rig.ts";
import { Fleet } from "../supervisor/fleet.ts";
import { FieldDesk } from "./desk.ts";

/** Tests at a device of foreign make that serves one connection at a time, while it is polled: a second would hang. */

let peer: LibmodbusPeer;
let fleet: Fleet;
let desk: FieldDesk;
let settings: Record<string, unknown>;

beforeAll(async () => {
  peer = await libmodbusPeer();
  settings = { host: "127.0.0.1", port: peer.port, timeoutMs: 1_000 };
  fleet = new Fleet({ clock: systemClock, random: () => 0.5, sink: new FakeSink(systemClock) });
  desk = new FieldDesk({ clock: systemClock, fleet });
}, 60_000);

afterAll(async () => {
  await desk.stop();
  await fleet.stop();
  await peer?.[Symbol.asyncDispose]();
});

type Read = Extract<FieldResult, { kind: "read" }>;

async function read(parts: FieldPoint[][]): Promise<Read> {
  const body = { kind: "read", driver: "modbus", settings, parts };
  const result = await desk.take({ requestId: Bun.randomUUIDv7(), limitMs: LIMITS.fieldMs, body });
  if (result?.kind !== "read") throw new Error(JSON.stringify(result));
  return result;
}

const poll = () =>
  fleet.apply({
    rev: 1,
    devices: [
      fakeDevice(1, {
        driver: "modbus",
        settings,
        tags: [fakeTag(1, { address: "holding:14", dataType: "uint16", scanMs: 50 })],
      }),
    ],
  });

test("before anything is published, values are read over a line that is free again afterwards", async () => {
  for (const _ of [1, 2, 3]) {
    const result = await read([[{ address: "holding:0", dataType: "float32" }]]);
    expect(result).toMatchObject({ ok: true, shared: false, requests: 1, readings: [{ raw: 123.5 }] });
  }
});

test("while it is polled, tests have their turn on the one connection there is", async () => {
  await poll();
  await until("polled", () => (fleet.statuses()[0]?.cycles ?? 0) > 3);
  for (const _ of [1, 2, 3, 4, 5]) {
    const result = await read([[{ address: "input:0", dataType: "float64" }]]);
    expect(result).toMatchObject({ ok: true, shared: true, readings: [{ raw: Math.PI }] });
  }
  expect(fleet.statuses()[0]).toMatchObject({ linkState: "up", errors: 0, tagsGood: 1 });
});

test("the float 123.5 is found in each of its four orders, and read back by what was found", async () => {
  await poll();
  const modbus = declarationOf("modbus");
  const decoded = decodeSettings(modbus, settings);
  for (const [offset, order] of [
    [0, "ABCD"],
    [2, "BADC"],
    [4, "CDAB"],
    [6, "DCBA"],
  ] as const) {
    const question = { around: `holding:${offset}`, span: 0, displayed: 123.5 };
    const { readings } = await read(modbus.matcher!.window(question, decoded));
    const { candidates } = modbus.matcher!.propose(question, readings, decoded);
    const found = candidates.find(({ dataType, distance }) => dataType === "float32" && distance === 0);
    expect(found).toMatchObject({ address: `holding:${offset} order=${order}`, exponent: 0 });
    const back = await read([[{ address: found!.address, dataType: found!.dataType, scale: found!.scale }]]);
    expect(back.readings[0]).toMatchObject({ value: 123.5, quality: "good" });
  }
});

test("past the end of its memory the device is searched as far as it gives something", async () => {
  const modbus = declarationOf("modbus");
  const decoded = decodeSettings(modbus, settings);
  const question = { around: "holding:195", span: 20, displayed: 7 };
  const result = await read(modbus.matcher!.window(question, decoded));
  const { areas } = modbus.matcher!.propose(question, result.readings, decoded);
  expect(result.ok).toBe(true);
  expect(areas.map(({ area, readable }) => [area, readable])).toEqual([
    ["holding", 25],
    ["input", 25],
  ]);
});
