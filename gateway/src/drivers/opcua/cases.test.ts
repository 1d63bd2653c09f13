import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { decodeSettings } from "@millrace/contract/driver/settings";
import type { AppError } from "@millrace/contract/error/app-error";
import { systemClock } from "@millrace/contract/std/clock";
import { qualityName } from "@millrace/contract/vocabulary/quality";
import { type DataType, valueToJson } from "@millrace/contract/vocabulary/value";
import { opcua } from "./index.ts";
import { sharedPeer } from "./simulator.ts";

/** Each folder of `cases/` is one story, as data: a report from the field becomes a folder and no code. */

const FOLDER = join(import.meta.dir, "cases");
type Tag = { name: string; address: string; dataType: DataType };

function load<T>(story: string, name: string): T | null {
  const path = join(FOLDER, story, `${name}.json`);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as T) : null;
}

async function run(story: string): Promise<unknown> {
  const profile = load<{ settings: object; tags: Tag[] }>(story, "profile")!;
  const own = { endpoint: `opc.tcp://127.0.0.1:${(await sharedPeer()).port}`, security: "none-insecure" };
  const device = load<{ settings: object }>(story, "device")!;
  const settings = decodeSettings(opcua, { ...own, ...profile.settings, ...device.settings });
  const session = await opcua.create(settings, { clock: systemClock, onLost: () => undefined });
  const points = profile.tags.map(({ address, dataType }, id) => ({
    id,
    dataType,
    address: opcua.parseAddress(address, dataType, settings),
  }));
  try {
    await session.connect(AbortSignal.timeout(10_000));
    const readings = await session.read(points, AbortSignal.timeout(10_000));
    return readings
      .toSorted((a, b) => a.id - b.id)
      .map(({ id, value, quality }) => ({
        name: profile.tags[id]!.name,
        value: valueToJson(value),
        quality: qualityName(quality),
      }));
  } finally {
    await session.close();
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
