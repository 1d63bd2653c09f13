import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { decodeSettings } from "@millrace/contract/driver/settings";
import { AppError } from "@millrace/contract/error/app-error";
import { systemClock } from "@millrace/contract/std/clock";
import { qualityName } from "@millrace/contract/vocabulary/quality";
import { type DataType, valueToJson } from "@millrace/contract/vocabulary/value";
import type { Point, Reading, Session, SessionDeps } from "../src/driver/driver.ts";
import type { AnyDriver } from "../src/driver/registry.ts";

/** What a story says of the machine, besides its settings, is for the driver's own fake device. */
export interface CaseDevice {
  settings: object;
}

interface Profile {
  settings: object;
  tags: { name: string; address: string; dataType: DataType }[];
}

/** A fake device as a story wants it, and the settings that lead to it. */
export interface OpenedDevice {
  settings: object;
  /** What the session needs beside clock and network, where it needs something. */
  deps?: Partial<SessionDeps>;
  /** For devices that tell by themselves: how a story is heard. Without it the session is read. */
  hear?(session: Session, points: readonly Point[]): Promise<readonly Reading[]>;
  close(): Promise<void>;
}

export interface DriverCases<D extends CaseDevice> {
  /** Holds one folder a story, as data: a report from the field becomes a folder and no code. */
  folder: string;
  open(device: D): Promise<OpenedDevice>;
  /** How often it may be read until it tells what is expected: above 1 for a driver that learns a device's limits. */
  readsMax?: number;
}

function load<T>(folder: string, story: string, name: string): T | null {
  const path = join(folder, story, `${name}.json`);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as T) : null;
}

async function told(
  driver: AnyDriver,
  { tags, ...profile }: Profile,
  {
    device,
    opened,
    expected,
    readsMax,
  }: { device: CaseDevice; opened: OpenedDevice; expected: unknown; readsMax: number },
): Promise<unknown> {
  const settings = decodeSettings(driver, { ...opened.settings, ...profile.settings, ...device.settings });
  const points = tags.map(({ address, dataType }, id) => ({
    id,
    dataType,
    address: driver.parseAddress(address, dataType, settings),
  }));
  const session = await driver.create(settings, {
    clock: systemClock,
    onLost: () => undefined,
    ...opened.deps,
  });
  try {
    const signal = AbortSignal.timeout(10_000);
    await session.connect(signal);
    let found: unknown;
    for (let read = 0; read < readsMax; read++) {
      const readings = await (opened.hear?.(session, points) ?? session.read(points, signal));
      found = readings
        .toSorted((a, b) => a.id - b.id)
        .map(({ id, value, quality }) => ({
          name: tags[id]!.name,
          value: valueToJson(value),
          quality: qualityName(quality),
        }));
      if (Bun.deepEquals(found, expected)) break;
    }
    return found;
  } finally {
    await session.close();
  }
}

/** Declares the stories of a driver as tests: what is read, or the error with its code and what it names. */
export function driverCases<D extends CaseDevice>(
  driver: AnyDriver,
  { folder, open, readsMax = 1 }: DriverCases<D>,
): void {
  const stories = readdirSync(folder);

  test("there are stories", () => {
    expect(stories.length).toBeGreaterThan(5);
  });

  test.each(stories)("case %s", async (story) => {
    const expected = load<unknown>(folder, story, "expected");
    const error = load<{ code: string; names: string }>(folder, story, "error");
    expect((expected === null) !== (error === null)).toBe(true);
    const device = load<D>(folder, story, "device")!;
    const profile = load<Profile>(folder, story, "profile")!;
    const opened = await open(device);
    try {
      const telling = told(driver, profile, { device, opened, expected, readsMax });
      if (error === null) {
        expect(await telling).toEqual(expected);
        return;
      }
      const thrown = await telling.catch((reason: unknown) => reason);
      expect(thrown).toBeInstanceOf(AppError);
      expect((thrown as AppError).code).toBe(error.code as AppError["code"]);
      expect((thrown as AppError).message).toContain(error.names);
    } finally {
      await opened.close();
    }
  });
}
