import { expect, test } from "bun:test";
import { join } from "node:path";
import { decodeSettings } from "@millrace/contract/driver/settings";
import { SIGNALS } from "@millrace/contract/driver/simulator/signals";
import { qualityName } from "@millrace/contract/vocabulary/quality";
import type { DataType } from "@millrace/contract/vocabulary/value";
import { FakeClock } from "../../../test/fake-clock.ts";
import { simulator } from "./index.ts";

const ROOT = join(import.meta.dir, "../../../..");

interface Plant {
  profiles: Record<
    string,
    {
      settings: object;
      tags: { name: string; address: string; dataType: DataType }[];
    }
  >;
  devices: Record<string, { profile: string; settings: object }>;
}

test("each tag of the simulated plant has a value, but where a fault is wanted", async () => {
  const plant = Bun.YAML.parse(await Bun.file(join(ROOT, "docs/simulated-plant.yaml")).text()) as Plant;
  const without: string[] = [];
  for (const [path, device] of Object.entries(plant.devices)) {
    const { tags, ...profile } = plant.profiles[device.profile]!;
    const settings = decodeSettings(simulator, {
      ...profile.settings,
      ...device.settings,
      unreachable: undefined,
    });
    const clock = new FakeClock(Date.UTC(2026, 10, 25, 10));
    const session = await simulator.create(settings, { clock, onLost: () => undefined });
    const { signal } = new AbortController();
    await session.connect(signal);
    const points = tags.map(({ address, dataType }, id) => ({
      id,
      dataType,
      address: simulator.parseAddress(address.replace("{oil}", "50"), dataType, settings),
    }));
    for (const { id, value, quality } of await session.read(points, signal))
      if (value === null && !/ bad=/.test(tags[id]!.address))
        without.push(`${path}/${tags[id]!.name} ${qualityName(quality)}`);
    await session.close();
  }
  expect(without).toEqual([]);
});

test("the README names every signal", async () => {
  const text = await Bun.file(join(import.meta.dir, "README.md")).text();
  for (const name of Object.keys(SIGNALS)) expect(text).toContain(`\`${name}\``);
});
