import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { decodeSettings } from "@millrace/contract/driver/settings";
import { systemClock } from "@millrace/contract/std/clock";
import { qualityName } from "@millrace/contract/vocabulary/quality";
import { type DataType, valueToJson } from "@millrace/contract/vocabulary/value";
import { push } from "./index.ts";
import { IntakeSimulator } from "./simulator.ts";

/** Each folder of `cases/` is one story, as data: a report from the field becomes a folder and no code. */

const FOLDER = join(import.meta.dir, "cases");
const load = <T>(story: string, name: string): T =>
  JSON.parse(readFileSync(join(FOLDER, story, `${name}.json`), "utf8")) as T;

test.each(readdirSync(FOLDER))("case %s", async (story) => {
  const { settings: own, tags } = load<{
    settings: object;
    tags: { name: string; address: string; dataType: DataType }[];
  }>(story, "profile");
  const { messages } = load<{ messages: Record<string, string> }>(story, "device");
  const settings = decodeSettings(push, { login: "press", token: "t".repeat(43), ...own });
  const arrivals = new IntakeSimulator(messages);
  const session = await push.create(settings, { clock: systemClock, onLost: () => undefined, arrivals });
  const points = tags.map(({ address, dataType }, id) => ({
    id,
    dataType,
    address: push.parseAddress(address, dataType, settings),
  }));
  await session.connect(AbortSignal.timeout(1_000));
  const readings = await session.read(points, AbortSignal.timeout(5_000));
  await session.close();
  const told = readings
    .toSorted((a, b) => a.id - b.id)
    .map(({ id, value, quality }) => ({
      name: tags[id]!.name,
      value: valueToJson(value),
      quality: qualityName(quality),
    }));
  expect(told as unknown).toEqual(load(story, "expected"));
});
