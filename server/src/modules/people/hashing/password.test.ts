import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { systemClock } from "@millrace/contract/std/clock";
import { createPasswords, PASSWORD } from "./password.ts";
import { HashThread } from "./thread.ts";

const GOOD = "a long plant password";

test("a password is known again, another one and nobody's are not", async () => {
  using passwords = createPasswords(systemClock);
  const hash = await passwords.hash(GOOD);
  expect(hash).toStartWith("$argon2id$v=19$m=19456,t=2,p=1$");
  expect(await passwords.verify(GOOD, hash)).toBe(true);
  expect(await passwords.verify(`${GOOD}!`, hash)).toBe(false);
  expect(await passwords.verify(GOOD, null)).toBe(false);
  expect(await passwords.verify(GOOD.padEnd(PASSWORD.lengthMax + 1, "."), hash)).toBe(false);
});

test("a hash nobody can read fails alone, and says nothing of the password", async () => {
  using passwords = createPasswords(systemClock);
  const failed = await passwords.verify(GOOD, "$argon2id$nonsense").catch((thrown) => thrown);
  expect(failed).toMatchObject({ code: "internal.bug" });
  expect(String(failed)).not.toContain(GOOD);
  expect(await passwords.verify(GOOD, await passwords.hash(GOOD))).toBe(true);
});

test("a thread that is gone fails whoever waited, and begins anew with the next password", async () => {
  const thread = new HashThread();
  const waited = thread.hash(GOOD).catch((thrown) => thrown);
  thread[Symbol.dispose]();
  expect(await waited).toMatchObject({ code: "internal.bug" });
  const { value, cpuMs } = await thread.hash(GOOD);
  expect((await thread.verify(GOOD, value)).value).toBe(true);
  expect(cpuMs).toBeGreaterThan(0);
  thread[Symbol.dispose]();
});

/** Scheduling policy of each of this process's threads by its id, by `proc_pid_stat(5)`, field 41. */
const policies = (): Map<string, number> =>
  new Map(
    readdirSync("/proc/self/task").map((task) => {
      const stat = readFileSync(`/proc/self/task/${task}/stat`, "utf8");
      return [task, Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[38])];
    }),
  );
const SCHED_IDLE = 5;

test.skipIf(process.platform !== "linux")(
  "S20: hashing gives way to everything else the hub does",
  async () => {
    using passwords = createPasswords(systemClock);
    const before = policies();
    await passwords.hash(GOOD);
    const begun = [...policies()].filter(([task]) => !before.has(task));
    expect(begun.some(([, policy]) => policy === SCHED_IDLE)).toBe(true);
    expect(policies().get(String(process.pid))).toBe(0);
  },
);
