import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ModbusAddress } from "@millrace/contract/driver/modbus/address";
import { decodeSettings } from "@millrace/contract/driver/settings";
import { AppError } from "@millrace/contract/error/app-error";
import { systemClock } from "@millrace/contract/std/clock";
import { qualityName } from "@millrace/contract/vocabulary/quality";
import { type DataType, valueToJson } from "@millrace/contract/vocabulary/value";
import type { Point } from "../../driver/driver.ts";
import { modbus } from "./index.ts";
import { ModbusSimulator } from "./simulator.ts";

/** Each folder of `cases/` is one story, as data: a report from the field becomes a folder and no code. */

interface Case {
  profile: { settings: object; tags: { name: string; address: string; dataType: DataType }[] };
  device: { settings: object; memory?: Record<string, Record<string, number[] | string[] | number>> };
  expected: { name: string; value: unknown; quality: string }[] | null;
  error: { code: string; names: string } | null;
}

const FOLDER = join(import.meta.dir, "cases");
/** A device's limits are learnt over some reads. */
const READS_MAX = 12;

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

function fill(simulator: ModbusSimulator, memory: Case["device"]["memory"]): void {
  for (const [number, areas] of Object.entries(memory ?? {})) {
    const unit = simulator.unit(Number(number));
    for (const [name, content] of Object.entries(areas)) {
      if (name === "registersMax") unit.registersMax = content as number;
      else if (name === "illegal") for (const address of content as string[]) unit.illegal.add(address);
      else unit[name as "holding" | "input" | "coil" | "discrete"].set(content as number[]);
    }
  }
}

async function run({ profile, device, expected }: Case): Promise<unknown> {
  const simulator = await ModbusSimulator.start(systemClock);
  fill(simulator, device.memory);
  const own = { host: "127.0.0.1", port: simulator.port, timeoutMs: 300 };
  try {
    const settings = decodeSettings(modbus, { ...own, ...profile.settings, ...device.settings });
    const points = profile.tags.map(
      ({ address, dataType }, id): Point<ModbusAddress> => ({
        id,
        dataType,
        address: modbus.parseAddress(address, dataType, settings),
      }),
    );
    const session = await modbus.create(settings, { clock: systemClock, onLost: () => undefined });
    try {
      const signal = AbortSignal.timeout(10_000);
      await session.connect(signal);
      let found: unknown;
      for (let read = 0; read < READS_MAX; read++) {
        const readings = await session.read(points, signal);
        found = readings
          .toSorted((a, b) => a.id - b.id)
          .map(({ id, value, quality }) => ({
            name: profile.tags[id]!.name,
            value: valueToJson(value),
            quality: qualityName(quality),
          }));
        if (Bun.deepEquals(found, expected)) break;
      }
      return found;
    } finally {
      await session.close();
    }
  } finally {
    await simulator.close();
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
