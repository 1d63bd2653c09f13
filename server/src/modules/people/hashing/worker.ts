/// <reference lib="webworker" />
import { readlinkSync } from "node:fs";
import { setPriority } from "node:os";
import type { FromHasher, ToHasher } from "./message.ts";
import { weaknessOf } from "./weakness.ts";

/**
 * The hashing thread: argon2id keeps a core and 19 MiB busy for 20 to 50 ms, and whoever guesses passwords decides how
 * often. Here the system gives it what samples, screens and the database leave.
 */
declare const self: Worker;

/** OWASP's floor for argon2id. */
const ARGON2 = { algorithm: "argon2id", memoryCost: 19_456, timeCost: 2 } as const;

const LOWEST_PRIORITY = 19;

/**
 * Only for idle time (`sched(7)`, SCHED_IDLE): whoever wakes takes the core at once, while one of low priority is let run
 * to the next tick. Where there is no `chrt`, low priority has to do.
 */
function giveWay(): void {
  const thread = readlinkSync("/proc/thread-self").split("/").at(-1)!;
  const command = ["chrt", "--idle", "--pid", "0", thread];
  if (Bun.which("chrt") !== null && Bun.spawnSync(command, { stdio: ["ignore", "ignore", "ignore"] }).success)
    return;
  setPriority(0, LOWEST_PRIORITY);
}

// Elsewhere priorities belong to the whole process, samples included.
if (process.platform === "linux") giveWay();

const cpuMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
};

function resultOf(asked: ToHasher): string | boolean | null {
  switch (asked.do) {
    case "hash":
      return Bun.password.hashSync(asked.password, ARGON2);
    case "verify":
      return Bun.password.verifySync(asked.password, asked.hash);
    case "judge":
      return weaknessOf(asked.password, asked.about);
  }
}

function done(asked: ToHasher): { value: string | boolean | null } | { unreadable: string } {
  try {
    return { value: resultOf(asked) };
  } catch (thrown) {
    return { unreadable: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

self.onmessage = ({ data }: MessageEvent<ToHasher>) => {
  const fromMs = cpuMs();
  const what = done(data);
  self.postMessage({ id: data.id, cpuMs: cpuMs() - fromMs, ...what } satisfies FromHasher);
};
