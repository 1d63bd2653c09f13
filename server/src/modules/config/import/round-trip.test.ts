import { expect, test } from "bun:test";
import { NAME_PATTERN } from "@millrace/contract/vocabulary/id";
import type { ProfileTag } from "@millrace/contract/vocabulary/tag";
import fc from "fast-check";
import { type ConfigState, emptyState } from "../state.ts";
import { devicesFragment } from "./devices.ts";
import { exportDevices, exportTags } from "./export.ts";
import { readSheet } from "./read.ts";
import type { Decimal } from "./sheet.ts";
import { DELIMITERS } from "./table.ts";
import { tagsFragment } from "./tags.ts";

/** Whatever a tag or a device may say, a file brings it back exactly. */

const NAME = new RegExp(NAME_PATTERN);
/** Signs that CSV, spreadsheets and programs give a meaning to, more often than chance would. */
const sign = fc.oneof(
  fc.constantFrom(..."=+-@'\",;\t\r\n .#|\uFEFF\u00A0＝°"),
  fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 1 })
    .filter((one) => !/(?![\t\r\n])\p{Cc}/u.test(one)),
);
const text = (max: number) =>
  fc
    .array(sign, { maxLength: max })
    .map((signs) => signs.join("").slice(0, max))
    .filter((one) => one.isWellFormed());
const name = text(40).filter((one) => one !== "" && NAME.test(one) && one.trim() !== "");
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => one + 0);
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const tag = fc
  .record({
    name,
    address: fc.integer({ min: 0, max: 60_000 }).map((offset) => `holding:${offset}`),
    dataType: fc.constantFrom<ProfileTag["dataType"]>("int16", "uint32", "float64"),
    unit: optional(text(8).filter((one) => one !== "")),
    description: optional(text(60).filter((one) => one !== "")),
    scale: optional(fc.record({ factor: number, offset: number })),
    range: optional(
      fc
        .tuple(number, number)
        .filter(([a, b]) => a < b)
        .map(([low, high]) => ({ low, high })),
    ),
    deadband: optional(number.map(Math.abs)),
    scanMs: optional(fc.integer({ min: 50, max: 3_600_000 })),
    interpolation: optional(fc.constantFrom<"step" | "linear">("step", "linear")),
  })
  .map((one) => JSON.parse(JSON.stringify(one)) as ProfileTag);
const tags = fc.uniqueArray(tag, { selector: (one) => one.name, maxLength: 12 });
const form = fc.record({
  delimiter: fc.constantFrom(...DELIMITERS),
  decimal: fc.constantFrom<Decimal>(".", ","),
});

/** The kind of a default says how a cell is read. */
const PARAMETERS = { base: { default: 0.5 }, note: { default: "" } };

function stateOf(profileName: string, profileTags: ProfileTag[]): ConfigState {
  const state = emptyState();
  const content = { driver: "modbus", settings: {}, parameters: PARAMETERS, scanMs: null, heartbeatMs: null };
  state.profile.set("p", { name: profileName, tags: profileTags, ...content });
  return state;
}
const context = { profile: null, prune: true, retention: new Set<string>() };

test("tags", async () => {
  const property = fc.asyncProperty(name, tags, form, async (profile, wanted, how) => {
    const bytes = Buffer.from(exportTags(stateOf(profile, wanted), null, how));
    const given = {
      media: "text/csv",
      kind: "tags",
      delimiter: null,
      base: null,
      ...{ decimal: how.decimal },
    } as const;
    const { sheet, problems } = await readSheet(bytes, given);
    const fragment = tagsFragment(sheet, { ...context, state: stateOf(profile, []) });
    expect([...problems, ...fragment.problems.held]).toEqual([]);
    const found = fragment.document.profiles?.[profile]?.tags ?? [];
    expect(found.map((one) => ({ ...one }))).toEqual(wanted as never);
  });
  await fc.assert(property, { numRuns: 200, seed: 7 });
});

test("devices", async () => {
  const host = text(30).filter((one) => one !== "");
  const property = fc.asyncProperty(
    name,
    name,
    fc.uniqueArray(name, { maxLength: 8 }),
    host,
    form,
    async (place, gateway, names, where, how) => {
      const state = stateOf("Meter", []);
      state.site.set("s", { name: place, kind: "site", parentId: null, path: place });
      state.gateway.set("g", { name: gateway, sparkplug: null, siteId: "s" });
      const links = { profileId: "p", gatewayId: "g", siteId: "s" };
      names.forEach((one, i) => {
        const settings = { host: where, port: 500 + i, idsNotEchoed: i % 2 === 0, wordOrder: "low-first" };
        state.device.set(String(i), {
          name: one,
          ...links,
          settings,
          parameters: { ...(i % 2 === 0 ? { base: i * 1.25 } : {}), ...(i % 3 === 0 ? { note: where } : {}) },
          hours: i % 4 === 0 ? { timeZone: "Europe/Berlin", days: { mon: ["22:00-06:00"] } } : null,
          enabled: i % 3 > 0,
          path: `${place}/${one}`,
        });
      });
      const bytes = Buffer.from(exportDevices(state, null, how));
      const given = {
        media: "text/csv",
        kind: "devices",
        delimiter: null,
        decimal: how.decimal,
        base: null,
      } as const;
      const { sheet, problems } = await readSheet(bytes, given);
      const there = { ...state, device: new Map() };
      const fragment = devicesFragment(sheet, { ...context, state: there });
      expect([...problems, ...fragment.problems.held]).toEqual([]);
      const wanted = [...state.device.values()].map(({ path, enabled, settings, parameters, hours }) => [
        path,
        { profile: "Meter", gateway, enabled, settings, parameters, hours },
      ]);
      expect(fragment.document.devices).toEqual(Object.fromEntries(wanted));
    },
  );
  await fc.assert(property, { numRuns: 100, seed: 7 });
});
