import { getLogger } from "@logtape/logtape";
import { type AppError, asAppError } from "@millrace/contract/error/app-error";
import { systemClock, systemRandom } from "@millrace/contract/std/clock";
import { EXIT_RESTART, EXIT_SETTING } from "@millrace/contract/std/setting";
import { lockFolder } from "./folder-lock.ts";
import { type Gateway, startGateway } from "./gateway.ts";
import { giveToOwner, makePrivateFolder } from "./identity/durable-file.ts";
import { makePin, PIN_FILE, spacedPin, writePin } from "./local/access/pin.ts";
import { configureLog } from "./log.ts";
import { LogForward } from "./logs/forward.ts";
import { readSettings, type Settings } from "./settings.ts";

const log = getLogger(["gateway"]);

/** Longest time a stop may take; what is sealed by then is safe, the rest was never promised. */
const STOP_MS_MAX = 2_500;

/** Codes that no restart can cure: a supervisor outside must wait for a person. */
const needsPerson = (error: AppError): boolean =>
  error.code === "setting.wrong" || error.code === "claim.refused";

function fail(thrown: unknown): never {
  const error = asAppError(thrown);
  if (needsPerson(error)) {
    log.error("{message}", { event: "gateway.refused", code: error.code, message: error.message });
    process.exit(EXIT_SETTING);
  }
  log.fatal("gateway failed: {error}", { event: "gateway.failed", code: error.code, error });
  process.exit(1);
}

function settingsOrExit(): Settings {
  try {
    return readSettings(process.env);
  } catch (thrown) {
    process.stderr.write(`${asAppError(thrown).message}\n`);
    process.exit(EXIT_SETTING);
  }
}

const randomBytes = (count: number): Uint8Array => crypto.getRandomValues(new Uint8Array(count));

const showPin = (pin: string): void =>
  void process.stdout.write(
    `First PIN of the local page: ${spacedPin(pin)} (shown this once; the first sign-in asks for another)\n`,
  );

/** `reset-pin`, at the machine: another first PIN, which a running gateway takes at once. */
async function resetPin(folder: string): Promise<never> {
  try {
    await makePrivateFolder(folder);
    const pin = makePin(randomBytes);
    await writePin(folder, pin, true, systemClock.nowMs());
    await giveToOwner(folder, PIN_FILE);
    showPin(pin);
    process.exit(0);
  } catch (thrown) {
    process.stderr.write(`${asAppError(thrown).message}\n`);
    process.exit(1);
  }
}

const settings = settingsOrExit();
const [word] = process.argv.slice(2);
if (word === "reset-pin") await resetPin(settings.dataFolder);
if (word !== undefined) {
  process.stderr.write(`There is no command "${word}"; there is reset-pin.\n`);
  process.exit(EXIT_SETTING);
}
const logs = new LogForward(systemClock);
for (const name of ["claimToken", "localPin", "localToken"] as const)
  if (settings[name] !== undefined) logs.keepSecret(name, [settings[name]]);
await configureLog(settings, process.stdout.isTTY === true, logs);
process.on("uncaughtException", fail);
process.on("unhandledRejection", fail);

const stopping = new AbortController();
let gateway: Gateway | null = null;
/** Reachable until the process ends: a collected lock would be an open one. */
export let folderLock: Disposable | null = null;

async function stop(reason: string, exitCode: number): Promise<void> {
  if (stopping.signal.aborted) return;
  log.info("stopping on {reason}", { event: "gateway.stopping", reason });
  stopping.abort(new Error("stopping"));
  const late = setTimeout(() => process.exit(1), STOP_MS_MAX);
  await gateway?.stop();
  clearTimeout(late);
  process.exit(exitCode);
}
for (const signal of ["SIGTERM", "SIGINT"] as const)
  process.on(signal, () => void stop(signal, 0).catch(fail));

try {
  await makePrivateFolder(settings.dataFolder);
  folderLock = lockFolder(settings.dataFolder);
  gateway = await startGateway(settings, {
    clock: systemClock,
    random: systemRandom,
    randomBytes,
    signal: stopping.signal,
    onCrash: fail,
    onRestart: () => void stop("a restart asked for at the hub", EXIT_RESTART).catch(fail),
    logs,
  });
  // Not through the log, which travels to the hub and is kept: whoever stands at the console reads it once.
  if (gateway.firstPin !== null) showPin(gateway.firstPin);
  log.info("local page at {localUrl}", { event: "gateway.ready", localUrl: gateway.localUrl });
} catch (thrown) {
  if (!stopping.signal.aborted) fail(thrown);
}
