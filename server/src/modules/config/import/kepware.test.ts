import { expect, test } from "bun:test";
import { isKepware, kepwareAddress, readKepware } from "./kepware.ts";
import type { ReadSheet } from "./sheet.ts";
import { readTable } from "./table.ts";

const HEADER =
  "Tag Name,Address,Data Type,Respect Data Type,Client Access,Scan Rate,Scaling,Raw Low,Raw High,Scaled Low,Scaled High,Scaled Data Type,Clamp Low,Clamp High,Eng Units,Description,Negate Value";

async function read(lines: string[], header = HEADER): Promise<ReadSheet> {
  return readKepware(await readTable([header, ...lines].join("\r\n"), null), null);
}

/** Rows in our words, by name. */
const rowsOf = ({ sheet }: ReadSheet) =>
  Object.fromEntries(
    sheet.rows.map(({ cells }) => {
      const words = [...cells].map(([key, { text }]) => [key, text]).filter(([, text]) => text !== "");
      const { name, ...rest } = Object.fromEntries(words) as Record<string, string>;
      return [name, rest];
    }),
  );

test("addresses in every form it takes", () => {
  const table: [string, string][] = [
    ["400001", "400001"],
    ["40001", "40001"],
    ["401", "40001"],
    ["41", "40001"],
    ["17", "10007"],
    ["400001.0", "400001.0"],
    ["41.15", "40001.15"],
    ["H40064", "400100"],
    ["H402102.3", "408450.3"],
    ["400200.100H", "400200 length=100 layout=high-low"],
    ["400500.78L", "400500 length=78 layout=low-high"],
    ["DB1.DBW0", "DB1.DBW0"],
  ];
  for (const [there, here] of table) expect([there, kepwareAddress(there)]).toEqual([there, here]);
});

test("rows become tags: types, bits, rates, units, and a linear scaling as factor and offset", async () => {
  const sheet = await read([
    '"Boiler.Temp","400001",Float,1,R/W,100,,,,,,,,,"°C","Feed, water",',
    '"Level","400003",Word,1,RO,1000,Linear,0,27648,0,100,Double,1,1,"%","",0',
    '"Tilt","30001",Short,1,RO,0,Linear,0,100,0,50,Double,0,0,,,1',
    '"Alarm","400010.3",Default,1,RO,10,,,,,,,,,,,',
    '"Run","000005",,1,RO,,,,,,,,,,,,',
    '"Raw","400011",Default,1,RO,,None,,,,,,,,,,',
    '"Serial","400200.20H",String,1,RO,,,,,,,,,,,,',
  ]);
  expect(sheet.problems).toEqual([]);
  expect(rowsOf(sheet)).toEqual({
    "Boiler.Temp": {
      address: "400001",
      dataType: "float32",
      scanMs: "100",
      unit: "°C",
      description: "Feed, water",
    },
    Level: {
      address: "400003",
      dataType: "uint16",
      scanMs: "1000",
      unit: "%",
      "scale factor": String(100 / 27_648),
      "scale offset": "0",
      "range low": "0",
      "range high": "100",
    },
    Tilt: { address: "30001", dataType: "int16", "scale factor": "-0.5", "scale offset": "0" },
    Alarm: { address: "400010.3", dataType: "boolean", scanMs: "50" },
    Run: { address: "000005", dataType: "boolean" },
    Raw: { address: "400011", dataType: "uint16" },
    Serial: { address: "400200 length=20 layout=high-low", dataType: "text" },
  });
  expect(sheet.notes).toEqual([
    "Read as a list of tags from KEPServerEX: 7 rows, 0 left out.",
    "1 tags could be written there; here they are read.",
    expect.stringContaining("set wordOrder"),
    expect.stringContaining("row 3, Level: it was clamped"),
    "row 5, Alarm: scan rate 10 ms is raised to 50 ms.",
  ]);
});

test("what has no place is told row by row, what is wrong by cell", async () => {
  const sheet = await read([
    '"Recipe","400001[10]",Word Array,1,R/W,100,,,,,,,,,,,',
    '"Flow","400001",Word,1,RO,100,Square Root,0,1000,0,100,Float,0,0,,,',
    '"Clock","400001",Date,1,RO,100,,,,,,,,,,,',
    '"Count","400001",LBCD,1,RO,100,,,,,,,,,,,',
    '"Bad","400001",Word,1,RO,100,Linear,0,max,0,100,Float,0,0,,,',
    '"Flat","400001",Word,1,RO,100,Linear,5,5,0,100,Float,0,0,,,',
  ]);
  expect(sheet.notes.slice(0, 1)).toEqual(["Read as a list of tags from KEPServerEX: 6 rows, 4 left out."]);
  expect(sheet.notes.filter((note) => note.includes("left out:")).map((note) => note.slice(0, 15))).toEqual([
    "row 2, Recipe: ",
    "row 3, Flow: le",
    "row 4, Clock: l",
    "row 5, Count: l",
  ]);
  expect(sheet.problems.map(({ row, column, cell }) => [row, column, cell])).toEqual([
    [6, "Raw High", "max"],
    [7, "Raw High", "5"],
  ]);
});

test("it is known by its header, old spelling and semicolons included", async () => {
  expect(isKepware(HEADER.split(","))).toBe(true);
  expect(isKepware(["name", "address", "dataType"])).toBe(false);
  expect(isKepware(["Tag Name", "Address", "Data Type"])).toBe(false);
  const header = HEADER.replace("Eng Units", "Eng. Units").replaceAll(",", ";");
  const sheet = await read(
    ["T;400001;Word;1;RO;100;Linear;0;10;0;1,5;Float;0;0;bar;;;extra"],
    `${header};Own`,
  );
  expect(rowsOf(sheet).T).toMatchObject({ unit: "bar", "scale factor": "0.15" });
  expect(sheet.notes).toContain('Column "Own" was not read.');
});
