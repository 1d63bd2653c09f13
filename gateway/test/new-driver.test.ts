import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The program that begins a driver, in a copy of the house: what it writes must work as it is. */

const ROOT = join(import.meta.dir, "../..");
let copy = "";

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), "millrace-new-driver-"));
  for (const part of [
    "contract/src",
    "contract/package.json",
    "gateway/src",
    "gateway/test",
    "gateway/scripts",
  ])
    await cp(join(ROOT, part), join(copy, part), { recursive: true });
  for (const file of ["gateway/package.json", "gateway/tsconfig.json", "tsconfig.base.json", "biome.json"])
    await cp(join(ROOT, file), join(copy, file));
  // Libraries are those of the house; the contract is that of the copy.
  const modules = join(ROOT, "node_modules");
  await mkdir(join(copy, "node_modules/@millrace"), { recursive: true });
  for (const name of await readdir(modules))
    if (name !== "@millrace") await symlink(join(modules, name), join(copy, "node_modules", name));
  await symlink(join(copy, "contract"), join(copy, "node_modules/@millrace/contract"));
});
afterAll(() => rm(copy, { recursive: true, force: true }));

async function run(...args: string[]) {
  const child = Bun.spawn([process.execPath, ...args], { cwd: copy, stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, out, err };
}

const newDriver = (...args: string[]) => run("gateway/scripts/new-driver.ts", ...args);
const registry = () => readFile(join(copy, "gateway/src/driver/registry.ts"), "utf8");

describe("a new driver", () => {
  beforeAll(async () => {
    expect(await newDriver("acmebus", "Acme bus")).toMatchObject({ code: 0, err: "" });
  });

  test("passes the conformance suite, its stories and its traps at once", async () => {
    const own = await run("test", "gateway/src/drivers/acmebus");
    expect([own.code, own.err]).toEqual([0, expect.stringContaining(" 0 fail")]);
    const suite = await run("test", "gateway/src/driver/registry.test.ts", "-t", "acmebus|declared");
    expect([suite.code, suite.err]).toEqual([0, expect.stringContaining("a read is given up on abort")]);
    expect(suite.err).toContain(" 0 fail");
  });

  test("has the types, the format and the table of settings of the house", async () => {
    const readme = await run("test", "gateway/src/driver/readme.test.ts", "-t", "acmebus");
    expect([readme.code, readme.err]).toEqual([0, expect.stringContaining(" 2 pass")]);
    const folders = ["gateway/src/drivers/acmebus", "contract/src/driver/acmebus"];
    const places = [...folders, "gateway/src/driver/registry.ts", "contract/src/driver/registry.ts"];
    const style = await run("node_modules/.bin/biome", "check", "--vcs-enabled=false", ...places);
    expect(style).toMatchObject({ code: 0 });
    const project = { extends: "./gateway/tsconfig.json", include: [`${folders[0]}`, "gateway/src/driver"] };
    await Bun.write(join(copy, "tsconfig.json"), JSON.stringify(project));
    expect(await run("node_modules/.bin/tsc", "-p", ".")).toMatchObject({ code: 0, out: "" });
  });

  test("stands at the end of both lists, and leaves no word of the template behind", async () => {
    expect(await registry()).toMatch(/ {2}acmebus as unknown as AnyDriver,\n\];/);
    const declared = await readFile(join(copy, "contract/src/driver/registry.ts"), "utf8");
    expect(declared).toMatch(/ {2}acmebusDeclaration as unknown as AnyDeclaration,\n\];/);
    for (const folder of ["gateway/src/drivers/acmebus", "contract/src/driver/acmebus"])
      for (const entry of await readdir(join(copy, folder), { recursive: true, withFileTypes: true }))
        if (entry.isFile())
          expect(await readFile(join(entry.parentPath, entry.name), "utf8")).not.toMatch(/__\w+__/);
  });
});

test.each([
  [["modbus"], 'There is a driver "modbus" already: gateway/src/drivers/modbus'],
  [["Acme"], "small letters"],
  [["acme-bus"], "small letters"],
  [["../escape"], "small letters"],
  [["a"], "2 to 20"],
  [["class"], "word of the language"],
  [["assert"], "word of the language"],
  [["other", 'Acme "bus"'], "cannot be a label"],
  [[], "usage: bun run new:driver"],
])("%j is refused in words, and nothing is written", async (args, says) => {
  const before = await registry();
  const { code, out, err } = await newDriver(...args);
  expect([code, out, err]).toEqual([64, "", expect.stringContaining(says)]);
  expect(await registry()).toBe(before);
});
