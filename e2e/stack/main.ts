// npm start: the whole system on this machine, with a simulated plant.
import { resolve } from "node:path";
import { EXIT_RESTART } from "@millrace/contract/std/setting";
import { type Child, ROOT } from "./child.ts";
import { Stack } from "./stack.ts";

const folder = resolve(ROOT, process.env.MILLRACE_DATA ?? "data");
const startedMs = performance.now();

let stack: Stack | undefined;
let stopping = false;

/** A terminal sends Ctrl-C to us and, through npm, a second time; the programs get it too. One orderly stop is enough. */
async function stop(code: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  console.log("\nStopping ...");
  await stack?.stop();
  console.log("Stopped. The data stays in", folder);
  process.exit(code);
}
process.on("SIGINT", () => void stop(0));
process.on("SIGTERM", () => void stop(0));
process.on("SIGHUP", () => void stop(0));

/** The first program that ends for good; a gateway that was asked to start anew is started anew. */
async function firstEnded(running: Stack): Promise<Child> {
  for (;;) {
    const children = [running.hub, running.gateway, running.plant];
    const ended = await Promise.race(children.map((child) => child.process.exited.then(() => child)));
    if (stopping || ended !== running.gateway || ended.process.exitCode !== EXIT_RESTART) return ended;
    await running.startGateway();
  }
}

try {
  console.log("Starting Millrace: hub with embedded PostgreSQL, one gateway, a simulated plant ...");
  const hubPort = Number(process.env.MILLRACE_PORT ?? 8080);
  const localPort = Number(process.env.MILLRACE_LOCAL_PORT ?? 8081);
  stack = await Stack.start({ folder, hubPort, localPort });
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  const { setupLink, hubUrl, localUrl, firstPin } = stack;
  console.log(
    [
      "",
      `  Hub            ${hubUrl}      (up in ${seconds} s)`,
      `  Gateway page   ${localUrl}      first PIN ${firstPin}; it asks for one of your own`,
      `  API            ${hubUrl}/docs`,
      `  Data           ${folder}`,
      "",
      setupLink
        ? `  Open this link once to make the first administrator:\n  ${setupLink}`
        : "  Sign in with the account you made at set-up.",
      "",
      "  Ctrl-C stops everything.",
      "",
    ].join("\n"),
  );
  const ended = await firstEnded(stack);
  if (!stopping) {
    console.error(`${ended.name} ended unexpectedly:\n${ended.tail()}`);
    await stop(1);
  }
} catch (error) {
  if (!stopping) {
    console.error((error as Error).message);
    process.exit(1);
  }
}
