import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { S7Address, S7Area } from "@millrace/contract/driver/s7/address";
import { decodeSettings } from "@millrace/contract/driver/settings";
import { AppError } from "@millrace/contract/error/app-error";
import { systemClock } from "@millrace/contract/std/clock";
import { qualityName } from "@millrace/contract/vocabulary/quality";
import { type DataType, valueToJson } from "@millrace/contract/vocabulary/value";
import type { Point } from "../../driver/driver.ts";
import { s7 } from "./index.ts";
import { S7Simulator } from "./simulated-cpu.ts";

/** Each folder of `cases/` is one story, as data: a report from the field becomes a folder and no code. */

interface Case {
  profile: { settings: object; tags: { name: string; address: string; dataType: DataType }[] };
  /** Memory by area and block, in hex; bytes that are not given; an error for every request. */
  device: {
    settings: object;
    memory?: Record<string, string>;
    illegal?: Record<string, number>;
    refuses?: number;
  };
  expected: { name: string; value: unknown; quality: string }[] | null;
  error: { code: string; names: string } | null;
}

const FOLDER = join(import.meta.dir, "cases");

function load(story: string): Case {
  const read = (name: string) => {
    try {
      return JSON.parse(readFileSync(join(FOLDER, story, `${name}.json`), "utf8"));
    } catch (thrown) {
      if ((thrown as { code?: string }).code === "ENOENT") return null;
      throw thrown;
    }
  };
  return {
    profile: read("profile"),
    device: read("device"),
    expected: read("expected"),
    error: read("error"),
  };
}

function fill(simulator: S7Simulator, { memory = {}, illegal = {}, refuses }: Case["device"]): void {
  for (const [key, hex] of Object.entries(memory)) {
    const [area, number] = key.split(":") as [S7Area, string];
    const bytes = Buffer.from(hex, "hex");
    const held =
      area === "db" ? simulator.db(Number(number), bytes.length) : simulator.area(area, bytes.length);
    bytes.copy(held);
  }
  for (const [place, code] of Object.entries(illegal)) simulator.illegal.set(place, code);
  simulator.refuses = refuses ?? null;
}

async function run({ profile, device }: Case): Promise<unknown> {
  await using simulator = await S7Simulator.start(systemClock);
  fill(simulator, device);
  const own = { host: "127.0.0.1", port: simulator.port, timeoutMs: 1_000 };
  const settings = decodeSettings(s7, { ...own, ...profile.settings, ...device.settings });
  const points = profile.tags.map(
    ({ address, dataType }, id): Point<S7Address> => ({
      id,
      dataType,
      address: s7.parseAddress(address, dataType, settings),
    }),
  );
  const session = await s7.create(settings, { clock: systemClock, onLost: () => undefined });
  try {
    const signal = AbortSignal.timeout(10_000);
    await session.connect(signal);
    const readings = await session.read(points, signal);
    return readings.map(({ id, value, quality }) => ({
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
  const each = load(story);
  expect((each.expected === null) !== (each.error === null)).toBe(true);
  if (each.error === null) {
    expect(await run(each)).toEqual(each.expected);
    return;
  }
  const thrown = await run(each).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(AppError);
  expect((thrown as AppError).code).toBe(each.error.code as AppError["code"]);
  expect((thrown as AppError).message).toContain(each.error.names);
});
