import { afterAll, beforeAll, expect, test } from "bun:test";
import { authorization, ConfigFiles, FILES_PLANT, type FileProblem } from "../../../../test/config-files.ts";
import { type TestHub, testHub } from "../../../../test/hub.ts";

/** Tags as files: everything wrong named by cell, nothing half applied. */

let hub: TestHub;
let files: ConfigFiles;
beforeAll(async () => {
  hub = await testHub();
  files = new ConfigFiles(hub);
});
afterAll(async () => {
  await hub[Symbol.asyncDispose]();
});

const PRESSES = ["A", "B"].map(
  (name) => `  Plant/Press ${name}: {profile: Press, gateway: Hall 1, settings: {host: 10.0.1.1}}\n`,
);

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
  await files.reset(FILES_PLANT + PRESSES.join(""));
  const before = await files.version();
  const rows = Array.from({ length: ROWS }, (_, i) => good(i));
  const names = HEADER.split(",");
  const planted = Array.from({ length: 40 }, (_, k) => {
    const [column, cell] = PLANTED[k % PLANTED.length]!;
    const index = 60 + k * 120;
    rows[index]![column] = cell;
    return { row: index + 2, column: names[column]!, cell };
  });
  const { problems, problemCount } = await files.refused(csv(rows));
  expect(problems.map(({ row, column, cell }) => ({ row, column, cell }))).toEqual(planted as never);
  expect(problemCount).toBe(40);
  for (const { at, message } of problems) expect(`${at}: ${message}`.length).toBeGreaterThan(40);
  expect([await files.version(), await files.tagsOf("Press")]).toEqual([before, []]);
  expect(problems[2]).toMatchObject({ at: `row ${planted[2]!.row}, column "address"` });
  expect(problems[9]?.message).toBe('there is no profile "Pres"; there are Meter, Press.');

  for (const { row } of planted) rows[row - 2] = good(row - 2);
  const dry = await files.send(csv(rows), "?dryRun=true");
  expect([dry.status, dry.body.applied, await files.tagsOf("Press")]).toEqual([200, false, []]);
  const from = performance.now();
  const { status, body } = await files.send(csv(rows));
  console.log(`${ROWS} rows, two devices: applied in ${Math.round(performance.now() - from)} ms`);
  expect([status, body.applied, body.changed]).toEqual([200, true, 1]);
  expect(await files.tagsOf("Press")).toHaveLength(ROWS);
});

test("a column decides its member, an empty cell takes it away, no column and no row leave things as they are", async () => {
  await files.reset();
  const { body } = await files.send("Tag Name;Type;Units;Offset\nPower;REAL;;-1,5\n", "?profile=Meter");
  expect(body.notes.join()).toContain("comma before the decimals");
  const power = { name: "Power", address: "holding:100", dataType: "float32", deadband: 0.1 };
  const fault = { name: "Fault", address: "coil:1", dataType: "boolean" };
  expect(await files.tagsOf("Meter")).toEqual([
    { ...power, scale: { factor: 1, offset: -1.5 } },
    fault,
  ] as never);
  await files.send("name,address,type\nNew,holding:7,int\n", "?profile=Meter&prune=true");
  expect(await files.tagsOf("Meter")).toEqual([
    { name: "New", address: "holding:7", dataType: "int16" },
  ] as never);
});

test("the header is judged too, and the request", async () => {
  await files.reset();
  const header = await files.refused(
    "name,adress,dataType,type,#mine,\nA,holding:1,int16,int16,x,y\n",
    "?profile=Press",
  );
  expect(header.problems.map(({ at, cell }) => [at, cell])).toEqual([
    ['row 1, column "adress"', "adress"],
    ['row 1, column "type"', "type"],
    ['row 1, column "(6)"', "(6)"],
    ['row 2, column "address"', ""],
  ]);
  const homeless = await files.refused("name,address,type\nA,holding:1,int\nB,holding:2,int\n");
  expect(homeless.problems.map(({ at, message }) => [at, message])).toEqual([
    [
      'the request, column "profile"',
      "which profile do the tags belong to? Say profile=, or add a column profile; there are Meter, Press.",
    ],
  ]);
  expect(
    (await files.refused("name,address,type\nA,holding:1,int\n", "?profile=X")).problems[0]?.message,
  ).toContain('there is no profile "X"');
  const loose = await files.refused(
    "name,address,type,description\nA,holding:1,int,one, two\n",
    "?profile=Press",
  );
  expect(loose.problems[0]).toMatchObject({ at: 'row 2, column "(5)"', cell: "two" });
  const thousand = await files.refused("name;address;type;factor\nA;holding:1;int;1,500\n", "?profile=Press");
  expect(thousand.problems[0]?.message).toContain("decimal=");
  const comma = await files.send(
    "name;address;type;factor\nA;holding:1;int;1,500\n",
    "?profile=Press&decimal=comma",
  );
  expect((await files.tagsOf("Press"))?.[0]).toMatchObject({ scale: { factor: 1.5, offset: 0 } });
  expect(comma.body.applied).toBe(true);
  expect((await files.send("name\n", "?profile=Press&prune=true")).status).toBe(422);
});

test("other encodings and what is no table are refused in words", async () => {
  const detail = async (body: BodyInit, type?: string) => {
    const answer = await files.send<FileProblem>(body, "?profile=Press", type);
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

test("several wrong cells of one row are all named, and every member has its judge", async () => {
  await files.reset();
  const header = "name,address,type,unit,description,factor,low,high,deadband,heartbeat,interpolation\n";
  const rows = [
    `,holdin:1,int17,${"u".repeat(33)},${"d".repeat(501)},1x,5,5,-1,10,linear`,
    "B,,text,\u0007,,,5,,,,",
    "C,coil:1,int16,,,,,x,,,",
    "D,holding:1,boolean,,,,,,,,",
  ];
  const { problems } = await files.refused(header + rows.join("\n"), "?profile=Press");
  expect(problems.map(({ row, column }) => [row, column])).toEqual([
    [2, "name"],
    [2, "type"],
    [2, "address"],
    [2, "unit"],
    [2, "description"],
    [2, "deadband"],
    [2, "heartbeat"],
    [2, "factor"],
    [2, "high"],
    [3, "address"],
    [3, "unit"],
    [3, "high"],
    [4, "address"],
    [4, "high"],
    [5, "address"],
  ]);
  const long = problems.find(({ column }) => column === "description");
  expect(long?.cell.length).toBeLessThan(100);
  expect(long?.message).toBe("found 501 characters, expected at most 500.");
});

test("the examples of the documentation come in as they stand", async () => {
  await files.reset();
  const text = await Bun.file(`${import.meta.dir}/../../../../../docs/import.md`).text();
  const [tags, devices] = [...text.matchAll(/```csv\n([\s\S]*?)```/g)].map(([, csv]) => csv ?? "");
  expect((await files.send(tags ?? "", "?profile=Meter")).body.changed).toBe(1);
  const plan = await files.send((devices ?? "").replaceAll("Energy meter", "Meter"));
  expect([plan.body.added, plan.body.changed]).toEqual([1, 1]);
});

test("a file is based on a version like a document, and too large a one is refused", async () => {
  await files.reset();
  const headers = { authorization, "content-type": "text/csv" };
  const body = "name,address,type\nA,holding:1,int\n";
  const ask = (extra: Record<string, string>) =>
    hub.ask("/api/v1/config/import?profile=Press", {
      method: "POST",
      headers: { ...headers, ...extra },
      body,
    });
  expect((await ask({ "if-match": '"0"' })).status).toBe(409);
  expect((await ask({ "if-match": (await files.version()) ?? "" })).status).toBe(200);
  const large = await files.send<FileProblem>(new Uint8Array(16 * 1024 * 1024 + 1));
  expect([large.status, large.body.code]).toEqual([413, "request.tooLarge"]);
  const two = await Promise.all(
    [1, 2, 3].map((i) => files.send(`name,address,type\nT${i},holding:${i},int\n`, "?profile=Press")),
  );
  expect(two.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect((await files.tagsOf("Press"))?.map((tag) => tag.name).sort()).toEqual(["A", "T1", "T2", "T3"]);
});
