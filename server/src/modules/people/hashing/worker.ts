/// <reference lib="webworker" />
import { readlinkSync } from "node:fs";
import { setPriority } from "node:os";
import type { FromHasher, ToHasher } from "./message.ts";

/**
 * The hashing thread: argon2id keeps a core and 19 MiB busy for 20 to 50 ms, and whoever guesses passwords decides how
 * often. Here the system gives it what samples, screens and the database leave.
 */
declare const self: Worker;

/** OWASP's floor for argon2id. */
const ARGON2 = { algorithm: "argon2id", memoryCost: 19_456, timeCost: 2 } as const;

const LOWEST_PRIORITY = 19;
const QUIET = { stdin: "ignore", stdout: "ignore", stderr: "ignore" } as const;

/**
 * Only for idle time (`sched(7)`, SCHED_IDLE): whoever wakes takes the core at once, while one of low priority is let run
 * to the next tick. Where there is no `chrt`, low priority has to do.
 */
function giveWay(): void {
  try {
    setPriority(0, LOWEST_PRIORITY);
    const thread = readlinkSync("/proc/thread-self").split("/").at(-1)!;
    if (Bun.which("chrt") !== null) Bun.spawnSync(["chrt", "--idle", "--pid", "0", thread], QUIET);
  } catch {
    // A sign-in at full priority is better than none.
  }
}

// Elsewhere priorities belong to the whole process, samples included.
if (process.platform === "linux") giveWay();

const cpuMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
};

async function resultOf(asked: ToHasher): Promise<string | boolean | null> {
  switch (asked.do) {
    case "hash":
      return Bun.password.hashSync(asked.password, ARGON2);
    case "verify":
      return Bun.password.verifySync(asked.password, asked.hash);
    case "judge": {
      // Its lists take 12 MB, which a hub where nobody chooses a password does not need.
      const { weaknessOf } = await import("./weakness.ts");
      return weaknessOf(asked.password, asked.about);
    }
  }
}

async function done(asked: ToHasher): Promise<{ value: string | boolean | null } | { unreadable: string }> {
  try {
    return { value: await resultOf(asked) };
  } catch (thrown) {
    return { unreadable: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

self.onmessage = async ({ data }: MessageEvent<ToHasher>) => {
  const fromMs = cpuMs();
  const what = await done(data);
  self.postMessage({ id: data.id, cpuMs: cpuMs() - fromMs, ...what } satisfies FromHasher);
};
