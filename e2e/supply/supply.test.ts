import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv from "ajv";
import addFormats from "ajv-formats";
import { ROOT } from "../stack/child.ts";
import { licenceFindings, licencesOf } from "./licence.ts";
import { type Lock, parseLock, readLock, shippedPackages } from "./lock.ts";
import { supplyFiles } from "./main.ts";
import { pinFindings, readManifests, scriptFindings, sourceFindings } from "./pins.ts";
import { makeSbom, type Sbom } from "./sbom.ts";

const lock = readLock(ROOT);
const manifests = readManifests(ROOT, lock);
const changed = (change: (copy: Lock) => void): Lock => {
  const copy = structuredClone(lock);
  change(copy);
  return copy;
};

/** The published schema of CycloneDX 1.6. */
function validator() {
  const folder = join(ROOT, "node_modules/@cyclonedx/cyclonedx-library/res/schema");
  const schema = (name: string) =>
    JSON.parse(readFileSync(join(folder, `${name}.SNAPSHOT.schema.json`), "utf8"));
  const ajv = new Ajv({ strict: false, allErrors: true, validateSchema: false });
  addFormats(ajv);
  // Two formats of a later draft; nothing we write uses them.
  ajv.addFormat("iri-reference", true).addFormat("idn-email", true);
  for (const name of ["spdx", "jsf-0.82"])
    ajv.addSchema(schema(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
  return ajv.compile(schema("bom-1.6"));
}

describe("S50: what is shipped", () => {
  test("S50: the bill of materials and the list of licences are those of this lock", () => {
    for (const [file, text] of Object.entries(supplyFiles(ROOT)))
      expect([file, readFileSync(join(ROOT, file), "utf8") === text, "bun run sbom"]).toEqual([
        file,
        true,
        "bun run sbom",
      ]);
  });

  test("S50: the bill of materials obeys the schema of CycloneDX 1.6", () => {
    const validate = validator();
    const sbom = makeSbom(ROOT, lock);
    expect(validate(sbom) || validate.errors).toBe(true);
    expect(validate({ ...sbom, serialNumber: "urn:uuid:1" })).toBe(false);
    expect(
      validate({ ...sbom, components: [{ ...sbom.components[0], licenses: [{ license: { id: "Mine" } }] }] }),
    ).toBe(false);
  });

  test("it names each package of the three programs once, with hash and licence, and nothing that only tests need", () => {
    const { components, dependencies } = makeSbom(ROOT, lock);
    const names = new Set(components.map(({ name }) => name));
    for (const name of ["elysia", "drizzle-orm", "modbus-serial", "svelte", "uplot", "bun", "postgresql"])
      expect([name, names.has(name)]).toEqual([name, true]);
    for (const name of ["fast-check", "playwright-core", "vite", "@biomejs/biome", "ajv"])
      expect([name, names.has(name)]).toEqual([name, false]);
    const refs = components.map((component) => component["bom-ref"]);
    expect(new Set(refs).size).toBe(refs.length);
    const known = new Set([...refs, "millrace"]);
    expect(
      dependencies.flatMap(({ ref, dependsOn }) => [ref, ...dependsOn]).filter((ref) => !known.has(ref)),
    ).toEqual([]);
    const libraries = components.filter(({ type }) => type === "library");
    expect(libraries.filter(({ hashes }) => !/^[0-9a-f]{128}$/.test(hashes?.[0]?.content ?? ""))).toEqual([]);
    const { integrity } = shippedPackages(lock).get("elysia")!;
    const hex = libraries.find(({ name }) => name === "elysia")!.hashes![0]!.content;
    expect(`sha512-${Buffer.from(hex, "hex").toString("base64")}`).toBe(integrity);
  });

  test("the same lock makes the same document, another one another serial number", () => {
    const serial = (of: Lock): Sbom["serialNumber"] => makeSbom(ROOT, of).serialNumber;
    expect(serial(readLock(ROOT))).toBe(serial(lock));
    const other = changed(({ packages }) => {
      packages.uplot = ["uplot@1.6.33", ...packages.uplot!.slice(1)];
    });
    expect(serial(other)).not.toBe(serial(lock));
  });

  test("a licence outside the list is found, and so is an exception nobody needs", () => {
    const packages = shippedPackages(lock);
    const licences = licencesOf(ROOT, packages);
    expect(licenceFindings(packages, licences)).toEqual([]);
    const strange = new Map(licences).set("uplot", "SSPL-1.0").set("yaml", "MIT AND GPL-3.0-only");
    expect(licenceFindings(packages, strange)).toHaveLength(2);
    const why = "because";
    expect(licenceFindings(packages, strange, { yaml: { licence: "SSPL-1.0", why } })).toHaveLength(3);
    expect(licenceFindings(packages, strange, { uplot: { licence: "SSPL-1.0", why } })).toHaveLength(1);
  });
});

describe("S50: what is installed", () => {
  test("S50: every package.json is covered by bun.lock, every version exact, every package with its hash", () => {
    expect(pinFindings(manifests, lock)).toEqual([]);
    expect(sourceFindings(lock)).toEqual([]);
    expect(scriptFindings(manifests[""]!)).toEqual([]);
  });

  test("S50: a package that is not in the lock fails, as do ranges, other sources and new install scripts", () => {
    const { gateway } = manifests;
    const withNew = (range: string) => ({
      gateway: { ...gateway, dependencies: { ...gateway!.dependencies, "left-pad": range } },
    });
    expect(pinFindings(withNew("1.3.0"), lock)).toHaveLength(1);
    for (const range of [
      "^1.3.0",
      "git+https://git.example/left-pad.git",
      "https://files.example/a.tgz",
      "latest",
    ]) {
      const held = changed(({ workspaces }) => {
        workspaces.gateway!.dependencies!["left-pad"] = range;
      });
      expect([range, pinFindings(withNew(range), held).length]).toEqual([range, 1]);
    }
    const bad: Lock["packages"] = {
      a: ["a@git+https://git.example/a.git#abc", {}, "abc"],
      b: ["b@1.0.0", "https://files.example/b.tgz", {}, `sha512-${"A".repeat(86)}==`],
      c: ["c@1.0.0", "", {}, "sha1-AAAA"],
      d: ["d@1.0.0", "", {}, `sha512-${"A".repeat(86)}==`],
    };
    expect(sourceFindings({ workspaces: {}, packages: bad })).toHaveLength(3);
    expect(scriptFindings({ trustedDependencies: ["esbuild"] })).toHaveLength(5);
    expect(scriptFindings({})).toHaveLength(1);
  });

  test("the lock is read with its trailing commas, and text in it stays as it is", () => {
    expect(
      parseLock('{"workspaces":{},"packages":{"a":["a@1.0.0","",{"bin":{"a":"x, y",},},"s",],},}').packages.a,
    ).toEqual(["a@1.0.0", "", { bin: { a: "x, y" } }, "s"]);
  });
});
