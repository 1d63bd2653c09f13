// The one file that runs before anything is installed: plain JavaScript for Node >= 20 or Bun, no dependencies.
// Each job installs what is missing, then hands over to Bun.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const BUN_VERSION = "1.4.5";
const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const bunHome = join(root, ".bun");

/** What the tests need besides npm packages: how to see that it is there, and the Debian package that brings it. */
const TEST_PROGRAMS = [
  { found: () => runs("chromium", ["--version"]), debian: "chromium", why: "browser stories" },
  { found: () => runs("cc", ["--version"]), debian: "gcc", why: "Modbus peer written in C" },
  { found: () => runs("pkg-config", ["--version"]), debian: "pkg-config", why: "Modbus peer written in C" },
  { found: () => runs("pkg-config", ["--exists", "libmodbus"]), debian: "libmodbus-dev", why: "Modbus peer" },
  { found: () => runs("g++", ["--version"]), debian: "g++", why: "Siemens peer written in C++" },
  { found: () => runs("openssl", ["version"]), debian: "openssl", why: "certificates" },
  {
    found: () => ["/usr/bin/certutil", "/usr/local/bin/certutil"].some((path) => existsSync(path)),
    debian: "libnss3-tools",
    why: "a browser that trusts a hub's own authority",
  },
  {
    found: () => existsSync("/usr/bin/pebble"),
    debian: "pebble",
    why: "ACME authority to be tested against",
  },
  {
    found: () => existsSync("/usr/sbin/mosquitto"),
    debian: "mosquitto",
    why: "MQTT broker to be tested against",
  },
  { found: () => existsSync("/usr/bin/mosquitto_pub"), debian: "mosquitto-clients", why: "MQTT clients" },
  { found: () => existsSync("/usr/include/stdio.h"), debian: "libc6-dev", why: "Modbus peer written in C" },
];

const PROGRAMS = { start: "e2e/stack/main.ts", test: "e2e/stack/test.ts", cli: "server/src/cli/main.ts" };

class CannotPrepare extends Error {}

function runs(command, args) {
  const result = spawnSync(command, args, { stdio: "ignore" });
  return result.status === 0;
}

function newEnough(version) {
  const [major, minor, patch] = version.trim().split(".").map(Number);
  const [wantMajor, wantMinor, wantPatch] = BUN_VERSION.split(".").map(Number);
  if (major !== wantMajor) return false;
  return minor > wantMinor || (minor === wantMinor && patch >= wantPatch);
}

function bunAt(path) {
  const result = spawnSync(path, ["--version"], { encoding: "utf8" });
  return result.status === 0 && newEnough(result.stdout) ? path : null;
}

/** npm may or may not run install scripts; without them the program lies in the platform's own package. */
function bunInHome() {
  const candidates = [join(bunHome, "node_modules", "bun", "bin", "bun.exe")];
  const platforms = join(bunHome, "node_modules", "@oven");
  if (existsSync(platforms)) {
    for (const name of readdirSync(platforms)) {
      candidates.push(join(platforms, name, "bin", "bun"), join(platforms, name, "bin", "bun.exe"));
    }
  }
  for (const path of candidates) {
    const bun = existsSync(path) ? bunAt(path) : null;
    if (bun) return bun;
  }
  return null;
}

function ensureBun() {
  if (process.versions.bun && newEnough(process.versions.bun)) return process.execPath;
  const present = bunAt("bun") ?? bunInHome();
  if (present) return present;
  console.log(`Installing Bun ${BUN_VERSION} into .bun (once) ...`);
  mkdirSync(bunHome, { recursive: true });
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const result = spawnSync(
    npm,
    [
      "install",
      "--prefix",
      bunHome,
      "--no-save",
      "--no-audit",
      "--no-fund",
      "--loglevel=error",
      `bun@${BUN_VERSION}`,
    ],
    { stdio: ["ignore", "inherit", "inherit"] },
  );
  const installed = bunInHome();
  if (installed) return installed;
  throw new CannotPrepare(
    result.error
      ? `Bun ${BUN_VERSION} is missing and npm could not be run (${result.error.message}). Install Bun or npm, then try again.`
      : `Bun ${BUN_VERSION} could not be installed from npm (npm ended with ${result.status}; its own words are above). ` +
          "Check the connection to your npm registry, or install Bun by hand, then try again.",
  );
}

/** Scripts of the packages call `bun` by name; whoever has it only through us finds it in a folder of ours. */
function ensureOnPath(bun) {
  if (bunAt("bun")) return;
  const folder = join(bunHome, "path");
  const link = join(folder, "bun");
  mkdirSync(folder, { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(realpathSync(bun), link);
  process.env.PATH = `${folder}${delimiter}${process.env.PATH ?? ""}`;
}

const sha256 = (text) => createHash("sha256").update(text).digest("hex");

/** Dependencies follow the lockfile exactly; a stamp saves the check at each start. */
function ensureDependencies(bun) {
  const stamp = join(root, "node_modules", ".millrace-lock");
  const wanted = sha256(readFileSync(join(root, "bun.lock")));
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  console.log("Installing dependencies by bun.lock ...");
  const result = spawnSync(bun, ["install", "--frozen-lockfile"], { cwd: root, encoding: "utf8" });
  if (result.status !== 0) {
    throw new CannotPrepare(
      `The dependencies could not be installed:\n${result.stdout}${result.stderr}\n` +
        "Check the connection to your npm registry, then try again.",
    );
  }
  writeFileSync(stamp, wanted);
}

function newestMs(folder) {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === "node_modules" || entry.name === "dist" || entry.name === "test") continue;
    const path = join(folder, entry.name);
    newest = Math.max(newest, entry.isDirectory() ? newestMs(path) : statSync(path).mtimeMs);
  }
  return newest;
}

/** The screens are built once and again whenever a source is newer than the build. */
function ensureScreens(bun) {
  const built = join(root, "web", "dist", "index.html");
  const sources = Math.max(newestMs(join(root, "web")), newestMs(join(root, "contract", "src")));
  if (existsSync(built) && statSync(built).mtimeMs >= sources) return;
  console.log("Building the screens ...");
  const result = spawnSync(bun, ["run", "build"], { cwd: join(root, "web"), encoding: "utf8" });
  if (result.status !== 0)
    throw new CannotPrepare(`The screens could not be built:\n${result.stdout}${result.stderr}`);
}

/** Debian packages the tests need. As root they are installed; anybody else is told the one command to run. */
function ensureTestPrograms() {
  const missing = TEST_PROGRAMS.filter((program) => !program.found());
  if (missing.length === 0) return;
  const names = [...new Set(missing.map((program) => program.debian))];
  const byHand = `apt-get install --no-install-recommends ${names.join(" ")}`;
  const wants = missing.map((program) => `${program.debian} (${program.why})`).join(", ");
  if (!runs("apt-get", ["--version"])) {
    throw new CannotPrepare(
      `The tests need ${wants}, and there is no apt-get here. Install them your system's way.`,
    );
  }
  if (process.getuid?.() !== 0) throw new CannotPrepare(`The tests need ${wants}. As root, run: ${byHand}`);
  console.log(`Installing Debian packages: ${names.join(" ")} ...`);
  const apt = (args) =>
    spawnSync("apt-get", args, {
      encoding: "utf8",
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
  apt(["update"]);
  const result = apt(["install", "-y", "--no-install-recommends", ...names]);
  if (result.status !== 0) {
    throw new CannotPrepare(`${result.stderr}\nDebian packages could not be installed. By hand: ${byHand}`);
  }
}

/** Runs the Bun program in the foreground. It gets the terminal's signals itself; we only wait for its end. */
function handOver(bun, program, args) {
  const child = spawn(bun, [join(root, program), ...args], { cwd: root, stdio: "inherit" });
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  process.on("SIGHUP", () => child.kill("SIGTERM"));
  child.on("exit", (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
}

const [job, ...rest] = process.argv.slice(2);
try {
  const program = PROGRAMS[job];
  if (program === undefined)
    throw new CannotPrepare(`usage: bootstrap.mjs ${Object.keys(PROGRAMS).join(" | ")}`);
  const bun = ensureBun();
  ensureOnPath(bun);
  ensureDependencies(bun);
  if (job === "test") ensureTestPrograms();
  if (job !== "cli") ensureScreens(bun);
  handOver(bun, program, rest);
} catch (error) {
  if (!(error instanceof CannotPrepare)) throw error;
  console.error(error.message);
  process.exit(1);
}
