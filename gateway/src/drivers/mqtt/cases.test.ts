import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { decodeSettings } from "@millrace/contract/driver/settings";
import type { AppError } from "@millrace/contract/error/app-error";
import { systemClock } from "@millrace/contract/std/clock";
import { qualityName } from "@millrace/contract/vocabulary/quality";
import { type DataType, valueToJson } from "@millrace/contract/vocabulary/value";
import { mqtt } from "./index.ts";
import { BrokerSimulator } from "./simulator.ts";

/** Each folder of `cases/` is one story, as data: a report from the field becomes a folder and no code. */

const FOLDER = join(import.meta.dir, "cases");
type Tag = { name: string; address: string; dataType: DataType };
type Sent = { topic: string; payload: string; retain?: boolean };

function load<T>(story: string, name: string): T | null {
  const path = join(FOLDER, story, `${name}.json`);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as T) : null;
}

async function run(story: string): Promise<unknown> {
  const profile = load<{ settings: object; tags: Tag[] }>(story, "profile")!;
  const device = load<{ settings: object; messages: Sent[] }>(story, "device")!;
  const broker = await BrokerSimulator.start();
  const own = { broker: `mqtt://127.0.0.1:${broker.port}`, firstValueMs: 250 };
  try {
    const settings = decodeSettings(mqtt, { ...own, ...profile.settings, ...device.settings });
    const session = await mqtt.create(settings, { clock: systemClock, onLost: () => undefined });
    const points = profile.tags.map(({ address, dataType }, id) => ({
      id,
      dataType,
      address: mqtt.parseAddress(address, dataType, settings),
    }));
    for (const { topic, payload, retain = false } of device.messages)
      if (retain) broker.send(topic, payload, { retain });
    const live = device.messages.filter(({ retain }) => retain !== true);
    const latest = new Map<number, unknown>();
    await session.connect(AbortSignal.timeout(5_000));
    const end = new AbortController();
    const wishes = points.map((point) => ({ ...point, scanMs: 1_000, deadband: 0 }));
    await session.subscribe!(
      wishes,
      (readings) => {
        for (const { id, value, quality } of readings)
          latest.set(id, {
            name: profile.tags[id]!.name,
            value: valueToJson(value),
            quality: qualityName(quality),
          });
      },
      end.signal,
    );
    for (const { topic, payload } of live) broker.send(topic, payload);
    // Long enough for what waits to be told to be waiting.
    const waitMs = live.length > 0 ? 60 : 900;
    await systemClock.sleep(waitMs);
    end.abort();
    await session.close();
    return [...latest].toSorted(([a], [b]) => a - b).map(([, one]) => one);
  } finally {
    await broker.close();
  }
}

const stories = readdirSync(FOLDER);

test("there are stories", () => {
  expect(stories.length).toBeGreaterThan(5);
});

test.each(stories)("case %s", async (story) => {
  const expected = load<unknown>(story, "expected");
  const error = load<{ code: string; names: string }>(story, "error");
  expect((expected !== null) !== (error !== null)).toBe(true);
  const outcome = await run(story).catch((thrown: AppError) => thrown);
  if (error === null) expect(outcome).toEqual(expected);
  else {
    expect((outcome as AppError).code as string).toBe(error.code);
    expect((outcome as AppError).message).toContain(error.names);
  }
});
