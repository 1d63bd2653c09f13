import { afterAll, beforeAll, expect, test } from "bun:test";
import { ConfigFiles, type FileProblem } from "../../../../test/config-files.ts";
import { type TestHub, testHub } from "../../../../test/hub.ts";

/** Files of other systems go the same way as ours. */

let hub: TestHub;
let files: ConfigFiles;
beforeAll(async () => {
  hub = await testHub();
  files = new ConfigFiles(hub);
});
afterAll(async () => {
  await hub[Symbol.asyncDispose]();
});

test("a list of tags from KEPServerEX and an export from Ignition go the same way", async () => {
  await files.reset();
  const kepware = [
    "Tag Name,Address,Data Type,Respect Data Type,Client Access,Scan Rate,Scaling,Raw Low,Raw High,Scaled Low,Scaled High,Scaled Data Type,Clamp Low,Clamp High,Eng Units,Description,Negate Value",
    '"Boiler.Temp","400001",Word,1,RO,500,Linear,0,1000,0,100,Double,0,0,"°C","",',
    '"Boiler.Alarm","400002.1",Boolean,1,RO,500,,,,,,,,,"","",',
    '"Recipe","400010[4]",Word Array,1,RO,500,,,,,,,,,"","",',
    '"Boiler/Fan","400070000",Word,1,RO,500,,,,,,,,,"","",',
  ];
  const { problems } = await files.refused(kepware.join("\n"), "?profile=Press");
  expect(problems.map(({ row, column, cell }) => [row, column, cell])).toEqual([
    [5, "Tag Name", "Boiler/Fan"],
    [5, "Address", "400070000"],
  ]);
  const { body } = await files.send(kepware.slice(0, -1).join("\n"), "?profile=Press");
  expect(body.notes.some((note) => note.startsWith("row 4, Recipe: left out"))).toBe(true);
  expect(await files.tagsOf("Press")).toEqual([
    {
      name: "Boiler.Temp",
      address: "400001",
      dataType: "uint16",
      unit: "°C",
      scale: { factor: 0.1, offset: 0 },
      scanMs: 500,
    },
    { name: "Boiler.Alarm", address: "400002.1", dataType: "boolean", scanMs: 500 },
  ] as never);
  const item = (name: string, opcItemPath: string) => ({ name, tagType: "AtomicTag", opcItemPath });
  const ignition = (...tags: object[]) =>
    JSON.stringify({ tags: [{ name: "Hall", tagType: "Folder", tags }] });
  const json = "application/json";
  const wrong = ignition(item("A", "[PLC]HR5.17"), item("B#", "[PLC]HRF7"));
  const found = await files.refused(wrong, "?profile=Press", json);
  expect(found.problems.map(({ at, cell }) => [at, cell])).toEqual([
    ['Hall/A, column "opcItemPath"', "[PLC]HR5.17"],
    ['Hall/B#, column "name"', "Hall/B#"],
  ]);
  const right = ignition(item("A", "[PLC]HR5.12"), item("B", "[PLC]HRF7"));
  expect((await files.send(right, "?profile=Press&prune=true", json)).body.applied).toBe(true);
  expect(await files.tagsOf("Press")).toEqual([
    { name: "Hall - A", address: "400005.12", dataType: "boolean" },
    { name: "Hall - B", address: "400007", dataType: "float32" },
  ] as never);
  const trap = '{"tags": [{"name": "A", "__proto__": {"x": 1}}]}';
  expect((await files.send<FileProblem>(trap, "", json)).body.code).toBe("request.malformed");
  expect((await files.send<FileProblem>(right, "?kind=devices", json)).status).toBe(422);
});
