// Runs one PostgreSQL for a test process and ends it when that process is gone, however it went: its end closes our
// standard input. Prints {"base": "<connection text without database>"} once logins are taken.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock, systemRandom } from "@millrace/contract/std/clock";
import { startEmbedded } from "../src/db/embedded/embedded.ts";

const NAME = "NAME";

const folder = await mkdtemp(join(tmpdir(), "millrace-test-"));
const postgres = await startEmbedded({
  folder: join(folder, "postgres"),
  clock: systemClock,
  random: systemRandom,
});
process.stdout.write(
  `${JSON.stringify({ base: postgres.urlOf(NAME).replace(new RegExp(`${NAME}$`), "") })}\n`,
);
// Ctrl-C reaches us too; the test process decides when it is over.
process.on("SIGINT", () => undefined);
for await (const _ of Bun.stdin.stream()) {
  // Nothing is ever said; only the end matters.
}
await postgres.stop();
await rm(folder, { recursive: true, force: true });
