import { afterAll, beforeAll, expect, test } from "bun:test";
import type { ConfigPlan } from "@millrace/contract/api/config";
import type { Tag } from "@millrace/contract/api/plant";
import { API_KEY, type TestHub, testHub } from "../../../../test/hub.ts";

/** Tags and devices as files: everything wrong named by cell, nothing half applied, and out again as it went in. */

const PLANT = `
millrace: 1
sites:
  Plant: {kind: site}
  Plant/Hall 1: {kind: area}
gateways:
  Hall 1: {site: Plant}
profiles:
  Meter:
    driver: modbus
    tags:
      - {name: Power, address: "holding:100", dataType: float32, unit: kW, deadband: 0.1}
      - {name: Fault, address: "coil:1", dataType: boolean}
  Press: {driver: modbus, settings: {port: 503}, tags: []}
devices:
  Plant/Hall 1/Meter 1: {profile: Meter, gateway: Hall 1, settings: {host: 10.0.0.5}}
`;
const PRESSES = ["A", "B"].map(
  (name) => `  Plant/Press ${name}: {profile: Press, gateway: Hall 1, settings: {host: 10.0.1.1}}\n`,
);

interface CellProblem {
  at: string;
  row?: number;
  column: string;
  cell: string;
  message: string;
}
interface Problem {
  code: string;
  detail: string;
  context: { problems: CellProblem[]; problemCount: number };
}

let hub: TestHub;
beforeAll(async () => {
  hub = await testHub();
});
afterAll(async () => {
  await hub[Symbol.asyncDispose]();
});

const authorization = `Bearer ${API_KEY}`;

async function reset(plant = PLANT): Promise<void> {
  const headers = { authorization, "content-type": "application/yaml" };
  const path = "/api/v1/config?prune=true";
  expect((await hub.ask(path, { method: "PUT", headers, body: plant })).status).toBe(200);
}

async function send<T = ConfigPlan>(body: BodyInit, query = "", type = "text/csv") {
  const response = await hub.ask(`/api/v1/config/import${query}`, {
    method: "POST",
    headers: { authorization, "content-type": type },
    body,
  });
  return { status: response.status, body: (await response.json()) as T };
}

async function refused(body: BodyInit, query = "", type = "text/csv") {
  const answer = await send<Problem>(body, query, type);
  expect([answer.status, answer.body.code]).toEqual([422, "request.invalid"]);
  return answer.body.context;
}

const exported = async (query: string) =>
  await (await hub.ask(`/api/v1/config/export?${query}`, { headers: { authorization } })).text();
/** The bytes decide: reading a text takes the mark away. */
const markOf = async (query: string) => {
  const response = await hub.ask(`/api/v1/config/export?${query}`, { headers: { authorization } });
  return [...new Uint8Array(await response.arrayBuffer()).subarray(0, 3)];
};
const version = async () => (await hub.call("GET", "/api/v1/config")).headers.get("etag");
const tagsOf = async (profile: string) => {
  const { body } = await hub.call<{ profiles: Record<string, { tags: Partial<Tag>[] }> }>(
    "GET",
    "/api/v1/config",
  );
  return body.profiles[profile]?.tags;
};

const ROWS = 5_000;
const good = (i: number): string[] => [
  `Tag ${i}`,
  `holding:${i * 2}`,
  "float32",
  "bar",
  `Sensor, number ${i}`,
  "0.5",
  "-10",
  "0",
  "100",
  "0.2",
  "500",
  "60000",
  "linear",
  "standard",
  "Press",
];
const HEADER =
  "name,address,dataType,unit,description,scale factor,scale offset,range low,range high,deadband,scanMs,heartbeatMs,interpolation,retention,profile";
const csv = (rows: string[][]) =>
  [HEADER, ...rows.map((row) => row.map((cell) => (cell.includes(",") ? `"${cell}"` : cell)).join(","))].join(
    "\n",
  );

/** Column of a cell and what is wrong in it; each is planted four times. */
const PLANTED: [number, string][] = [
  [0, "a/b"],
  [0, "Tag 1"],
  [1, "holdin:12"],
  [2, "float33"],
  [5, "zero"],
  [8, "-5"],
  [10, "10"],
  [12, "cubic"],
  [13, "for ever"],
  [14, "Pres"],
];

test("5,000 rows with 40 wrong cells: each is named, nothing is applied; corrected, all is applied at once", async () => {
  await reset(PLANT + PRESSES.join(""));
  const before = await version();
  const rows = Array.from({ length: ROWS }, (_, i) => good(i));
  const names = HEADER.split(",");
  const planted = Array.from({ length: 40 }, (_, k) => {
    const [column, cell] = PLANTED[k % PLANTED.length]!;
    const index = 60 + k * 120;
    rows[index]![column] = cell;
    return { row: index + 2, column: names[column]!, cell };
  });
  const { problems, problemCount } = await refused(csv(rows));
  expect(problems.map(({ row, column, cell }) => ({ row, column, cell }))).toEqual(planted as never);
  expect(problemCount).toBe(40);
  for (const { at, message } of problems) expect(`${at}: ${message}`.length).toBeGreaterThan(40);
  expect([await version(), await tagsOf("Press")]).toEqual([before, []]);
  expect(problems[2]).toMatchObject({ at: `row ${planted[2]!.row}, column "address"` });
  expect(problems[9]?.message).toBe('there is no profile "Pres"; there are Meter, Press.');

  for (const { row } of planted) rows[row - 2] = good(row - 2);
  const dry = await send(csv(rows), "?dryRun=true");
  expect([dry.status, dry.body.applied, await tagsOf("Press")]).toEqual([200, false, []]);
  const from = performance.now();
  const { status, body } = await send(csv(rows));
  console.log(`${ROWS} rows, two devices: applied in ${Math.round(performance.now() - from)} ms`);
  expect([status, body.applied, body.changed]).toEqual([200, true, 1]);
  expect(await tagsOf("Press")).toHaveLength(ROWS);
});

test("a column decides its member, an empty cell takes it away, no column and no row leave things as they are", async () => {
  await reset();
  const { body } = await send("Tag Name;Type;Units;Offset\nPower;REAL;;-1,5\n", "?profile=Meter");
  expect(body.notes.join()).toContain("comma before the decimals");
  const power = { name: "Power", address: "holding:100", dataType: "float32", deadband: 0.1 };
  const fault = { name: "Fault", address: "coil:1", dataType: "boolean" };
  expect(await tagsOf("Meter")).toEqual([{ ...power, scale: { factor: 1, offset: -1.5 } }, fault] as never);
  await send("name,address,type\nNew,holding:7,int\n", "?profile=Meter&prune=true");
  expect(await tagsOf("Meter")).toEqual([{ name: "New", address: "holding:7", dataType: "int16" }] as never);
});

test("the header is judged too, and the request", async () => {
  await reset();
  const header = await refused(
    "name,adress,dataType,type,#mine,\nA,holding:1,int16,int16,x,y\n",
    "?profile=Press",
  );
  expect(header.problems.map(({ at, cell }) => [at, cell])).toEqual([
    ['row 1, column "adress"', "adress"],
    ['row 1, column "type"', "type"],
    ['row 1, column "(6)"', "(6)"],
    ['row 2, column "address"', ""],
  ]);
  const homeless = await refused("name,address,type\nA,holding:1,int\nB,holding:2,int\n");
  expect(homeless.problems.map(({ at, message }) => [at, message])).toEqual([
    [
      'the request, column "profile"',
      "which profile do the tags belong to? Say profile=, or add a column profile; there are Meter, Press.",
    ],
  ]);
  expect(
    (await refused("name,address,type\nA,holding:1,int\n", "?profile=X")).problems[0]?.message,
  ).toContain('there is no profile "X"');
  const loose = await refused("name,address,type,description\nA,holding:1,int,one, two\n", "?profile=Press");
  expect(loose.problems[0]).toMatchObject({ at: 'row 2, column "(5)"', cell: "two" });
  const thousand = await refused("name;address;type;factor\nA;holding:1;int;1,500\n", "?profile=Press");
  expect(thousand.problems[0]?.message).toContain("decimal=");
  const comma = await send(
    "name;address;type;factor\nA;holding:1;int;1,500\n",
    "?profile=Press&decimal=comma",
  );
  expect((await tagsOf("Press"))?.[0]).toMatchObject({ scale: { factor: 1.5, offset: 0 } });
  expect(comma.body.applied).toBe(true);
  expect((await send("name\n", "?profile=Press&prune=true")).status).toBe(422);
});

test("other encodings and what is no table are refused in words", async () => {
  const detail = async (body: BodyInit, type?: string) => {
    const answer = await send<Problem>(body, "?profile=Press", type);
    return [answer.status, answer.body.detail];
  };
  const utf16 = Buffer.from("\uFEFFname,address", "utf16le");
  expect(await detail(utf16)).toEqual([400, expect.stringContaining("UTF-16")]);
  const latin = Buffer.from("name,unit\nA,bar\nB,°C\n", "latin1");
  expect(await detail(latin)).toEqual([400, expect.stringContaining("line 3")]);
  expect(await detail("")).toEqual([400, expect.stringContaining("empty")]);
  expect(await detail('name,unit\nA,"bar\n')).toEqual([400, expect.stringContaining("not CSV")]);
  expect(await detail("name", "text/plain")).toEqual([400, expect.stringContaining("text/csv")]);
  expect((await hub.ask("/api/v1/config/import", { method: "POST", body: "name" })).status).toBe(401);
});

test("devices: places, profiles, gateways and each setting by its schema, all wrong cells at once", async () => {
  await reset();
  const wrong = [
    "path;profile;gateway;enabled;host;settings.port;Unit",
    "Plant/Hall 1/Meter 2;Meter;Hall 1;yes;10.0.0.6;502;1",
    "Plant/Hall 9/Meter 3;Metre;Hall 2;perhaps;10.0.0.7;port;300",
    "Plant/Hall 1/Meter 2;Meter;Hall 1;;;;",
    "Meter 5;Meter;Hall 1;;h;;",
  ].join("\n");
  const { problems } = await refused(wrong);
  expect(problems.map(({ row, column, cell }) => [row, column, cell])).toEqual([
    [3, "path", "Plant/Hall 9/Meter 3"],
    [3, "profile", "Metre"],
    [3, "gateway", "Hall 2"],
    [3, "enabled", "perhaps"],
    [4, "host", ""],
    [4, "path", "Plant/Hall 1/Meter 2"],
    [5, "path", "Meter 5"],
  ]);
  const typed = await refused("path,profile,gateway,host,port,unit\nPlant/A,Meter,Hall 1,h,x,300\n");
  expect(typed.problems.map(({ at }) => at)).toEqual(['row 2, column "port"', 'row 2, column "unit"']);
  const right = [
    "place,name,profile,gateway,enabled,host,word order,port",
    "Plant/Hall 1,Meter 1,,,no,,low-first,1502",
    "Plant,Press 1,Press,Hall 1,,10.0.0.9,,",
  ].join("\n");
  // The first row takes the host away and is told so; the profile has none.
  expect((await refused(right)).problems.map(({ at }) => at)).toEqual(['row 2, column "host"']);
  const { body } = await send(right.replace("no,,low", "no,10.0.0.5,low"));
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
  const file = await exported("kind=devices");
  expect((await send(file, "?kind=devices&prune=true")).body.changes).toEqual([]);
  const only = await send(await exported("kind=devices&profile=Press"), "?prune=true&profile=Press");
  expect(only.body.changes).toEqual([]);
  const pruned = await send(await exported("kind=devices&profile=Press"), "?prune=true&dryRun=true");
  expect(pruned.body.removed).toBe(1);
});

test("what is exported comes in again without a change, whatever spreadsheets would make of it", async () => {
  await reset();
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
      const file = await exported(`kind=tags${which}${form}`);
      expect(file).toStartWith("profile");
      expect(file).not.toMatch(/(^|[;,\t"\n])[=@]/);
      const { status, body } = await send(file, "?prune=true");
      expect([status, body.changes]).toEqual([200, []]);
    }
  }
  expect((await hub.call("GET", "/api/v1/config")).body).toEqual(before.body);
  expect(await markOf("kind=tags")).toEqual([0xef, 0xbb, 0xbf]);
  // Into an empty profile, the file alone makes the same tags.
  const file = await exported("kind=tags&profile=Press");
  await hub.call("PUT", "/api/v1/config", {
    millrace: 1,
    profiles: { Press: { driver: "modbus", tags: [] } },
  });
  expect((await send(file)).body.applied).toBe(true);
  expect((await hub.call("GET", "/api/v1/config")).body).toEqual(before.body);
  expect(
    (await hub.ask("/api/v1/config/export?kind=tags&profile=No", { headers: { authorization } })).status,
  ).toBe(404);
});

test("a list of tags from KEPServerEX and an export from Ignition go the same way", async () => {
  await reset();
  const kepware = [
    "Tag Name,Address,Data Type,Respect Data Type,Client Access,Scan Rate,Scaling,Raw Low,Raw High,Scaled Low,Scaled High,Scaled Data Type,Clamp Low,Clamp High,Eng Units,Description,Negate Value",
    '"Boiler.Temp","400001",Word,1,RO,500,Linear,0,1000,0,100,Double,0,0,"°C","",',
    '"Boiler.Alarm","400002.1",Boolean,1,RO,500,,,,,,,,,"","",',
    '"Recipe","400010[4]",Word Array,1,RO,500,,,,,,,,,"","",',
    '"Boiler/Fan","400070000",Word,1,RO,500,,,,,,,,,"","",',
  ];
  const { problems } = await refused(kepware.join("\n"), "?profile=Press");
  expect(problems.map(({ row, column, cell }) => [row, column, cell])).toEqual([
    [5, "Tag Name", "Boiler/Fan"],
    [5, "Address", "400070000"],
  ]);
  const { body } = await send(kepware.slice(0, -1).join("\n"), "?profile=Press");
  expect(body.notes.some((note) => note.startsWith("row 4, Recipe: left out"))).toBe(true);
  expect(await tagsOf("Press")).toEqual([
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
  const found = await refused(wrong, "?profile=Press", json);
  expect(found.problems.map(({ at, cell }) => [at, cell])).toEqual([
    ['Hall/A, column "opcItemPath"', "[PLC]HR5.17"],
    ['Hall/B#, column "name"', "Hall/B#"],
  ]);
  const right = ignition(item("A", "[PLC]HR5.12"), item("B", "[PLC]HRF7"));
  expect((await send(right, "?profile=Press&prune=true", json)).body.applied).toBe(true);
  expect(await tagsOf("Press")).toEqual([
    { name: "Hall - A", address: "400005.12", dataType: "boolean" },
    { name: "Hall - B", address: "400007", dataType: "float32" },
  ] as never);
  const trap = '{"tags": [{"name": "A", "__proto__": {"x": 1}}]}';
  expect((await send<Problem>(trap, "", json)).body.code).toBe("request.malformed");
  expect((await send<Problem>(right, "?kind=devices", json)).status).toBe(422);
});
