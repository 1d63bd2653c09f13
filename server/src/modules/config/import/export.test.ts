import { afterAll, beforeAll, expect, test } from "bun:test";
import { authorization, ConfigFiles } from "../../../../test/config-files.ts";
import { type TestHub, testHub } from "../../../../test/hub.ts";

/** Devices as files, and the way out again. */

let hub: TestHub;
let files: ConfigFiles;
beforeAll(async () => {
  hub = await testHub();
  files = new ConfigFiles(hub);
});
afterAll(async () => {
  await hub[Symbol.asyncDispose]();
});

/** The bytes decide: reading a text takes the mark away. */
const markOf = async (query: string) => {
  const response = await files.exported(query);
  return [...new Uint8Array(await response.arrayBuffer()).subarray(0, 3)];
};

test("devices: places, profiles, gateways and each setting by its schema, all wrong cells at once", async () => {
  await files.reset();
  const wrong = [
    "path;profile;gateway;enabled;host;settings.port;Unit",
    "Plant/Hall 1/Meter 2;Meter;Hall 1;yes;10.0.0.6;502;1",
    "Plant/Hall 9/Meter 3;Metre;Hall 2;perhaps;10.0.0.7;port;300",
    "Plant/Hall 1/Meter 2;Meter;Hall 1;;;;",
    "Meter 5;Meter;Hall 1;;h;;",
  ].join("\n");
  const { problems } = await files.refused(wrong);
  expect(problems.map(({ row, column, cell }) => [row, column, cell])).toEqual([
    [3, "path", "Plant/Hall 9/Meter 3"],
    [3, "profile", "Metre"],
    [3, "gateway", "Hall 2"],
    [3, "enabled", "perhaps"],
    [3, "settings.port", "port"],
    [3, "Unit", "300"],
    [4, "host", ""],
    [4, "path", "Plant/Hall 1/Meter 2"],
    [5, "path", "Meter 5"],
  ]);
  const typed = await files.refused("path,profile,gateway,host,port,unit\nPlant/A,Meter,Hall 1,h,x,300\n");
  expect(typed.problems.map(({ at }) => at)).toEqual(['row 2, column "port"', 'row 2, column "unit"']);
  const right = [
    "place,name,profile,gateway,enabled,host,word order,port",
    "Plant/Hall 1,Meter 1,,,no,,low-first,1502",
    "Plant,Press 1,Press,Hall 1,,10.0.0.9,,",
  ].join("\n");
  // The first row takes the host away and is told so; the profile has none.
  expect((await files.refused(right)).problems.map(({ at }) => at)).toEqual(['row 2, column "host"']);
  const { body } = await files.send(right.replace("no,,low", "no,10.0.0.5,low"));
  expect([body.added, body.changed, body.removed]).toEqual([1, 1, 0]);
  const { body: all } = await hub.call<{ devices: object }>("GET", "/api/v1/config");
  expect(all.devices).toEqual({
    "Plant/Hall 1/Meter 1": {
      profile: "Meter",
      gateway: "Hall 1",
      enabled: false,
      settings: { host: "10.0.0.5", port: 1502, wordOrder: "low-first" },
    },
    "Plant/Press 1": { profile: "Press", gateway: "Hall 1", settings: { host: "10.0.0.9" } },
  });
  const file = await (await files.exported("kind=devices")).text();
  expect((await files.send(file, "?kind=devices&prune=true")).body.changes).toEqual([]);
  const only = await files.send(
    await (await files.exported("kind=devices&profile=Press")).text(),
    "?prune=true&profile=Press",
  );
  expect(only.body.changes).toEqual([]);
  const pruned = await files.send(
    await (await files.exported("kind=devices&profile=Press")).text(),
    "?prune=true&dryRun=true",
  );
  expect(pruned.body.removed).toBe(1);
});

test("what is exported comes in again without a change, whatever spreadsheets would make of it", async () => {
  await files.reset();
  const tags = [
    { name: "=cmd()", address: "holding:1", dataType: "int16", description: '=HYPERLINK("http://x";"y")' },
    { name: " @ both ends ", address: "holding:2", dataType: "int16", description: "-1" },
    { name: "'quoted", address: "holding:3", dataType: "int16", description: "'=1", unit: "°C" },
    {
      name: "All; of, it",
      address: "holding:4",
      dataType: "uint32",
      description: 'two\nlines, "quoted"',
      scale: { factor: -0.003_616_898_148_148_148, offset: 1e-7 },
      range: { low: -1.5, high: 2.25 },
      deadband: 0.25,
      scanMs: 500,
      heartbeatMs: 5_000,
      interpolation: "step",
      retention: "standard",
    },
  ];
  const profile = { driver: "modbus", tags };
  expect(
    (await hub.call("PUT", "/api/v1/config", { millrace: 1, profiles: { Press: profile } })).status,
  ).toBe(200);
  const before = await hub.call("GET", "/api/v1/config");
  for (const form of ["", "&delimiter=;&decimal=,", "&delimiter=tab&decimal=comma"]) {
    for (const which of ["&profile=Press", ""]) {
      const file = await (await files.exported(`kind=tags${which}${form}`)).text();
      expect(file).toStartWith("profile");
      expect(file).not.toMatch(/(^|[;,\t"\n])[=@]/);
      const { status, body } = await files.send(file, "?prune=true");
      expect([status, body.changes]).toEqual([200, []]);
    }
  }
  expect((await hub.call("GET", "/api/v1/config")).body).toEqual(before.body);
  expect(await markOf("kind=tags")).toEqual([0xef, 0xbb, 0xbf]);
  // Into an empty profile, the file alone makes the same tags.
  const file = await (await files.exported("kind=tags&profile=Press")).text();
  await hub.call("PUT", "/api/v1/config", {
    millrace: 1,
    profiles: { Press: { driver: "modbus", tags: [] } },
  });
  expect((await files.send(file)).body.applied).toBe(true);
  expect((await hub.call("GET", "/api/v1/config")).body).toEqual(before.body);
  expect(
    (await hub.ask("/api/v1/config/export?kind=tags&profile=No", { headers: { authorization } })).status,
  ).toBe(404);
});
