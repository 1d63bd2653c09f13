import { Database } from "bun:sqlite";
import { afterEach, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError } from "@millrace/contract/error/app-error";
import { systemClock } from "@millrace/contract/std/clock";
import type { Command } from "@millrace/contract/wire/command";
import { decodeEvents, encodeEvents, type GatewayEvent } from "@millrace/contract/wire/event";
import { admitCommand, KNOWN_COMMANDS_MAX, type KnownCommands, withCommand } from "./admit.ts";
import { type CommandDesk, type CommandDeskInput, openCommandDesk } from "./desk.ts";
import { openCommandRecord } from "./record.ts";

const NOW = Date.UTC(2026, 0, 1);
const DEVICE = "01938f5e-7c1a-7b2e-9d30-000000000001";
const idOf = (no: number) => `01938f5e-7c1a-7b2e-9d30-${String(no).padStart(12, "0")}`;
const commandOf = (commandNo: number, expiresMs = NOW + 30_000): Command => ({
  commandId: idOf(commandNo),
  commandNo,
  expiresMs,
  body: { kind: "restartDevice", deviceId: DEVICE },
});
const NOTHING: KnownCommands = { highestNo: 0, commands: [] };
const kept = (no: number, outcome: "done" | null): KnownCommands =>
  withCommand(NOTHING, { commandId: idOf(no), commandNo: no, atMs: NOW, outcome });

for (const [what, known, command, hubNowMs, verdict] of [
  ["a new one", NOTHING, commandOf(1), NOW, { do: "execute" }],
  ["one millisecond before its end", NOTHING, commandOf(1), NOW + 29_999, { do: "execute" }],
  ["at its end", NOTHING, commandOf(1), NOW + 30_000, { do: "expired" }],
  ["while the hub's time is not known", NOTHING, commandOf(1), null, { do: "expired" }],
  ["one that was done", kept(5, "done"), commandOf(5), NOW, { do: "repeat", outcome: "done" }],
  [
    "one that was done, also when late",
    kept(5, "done"),
    commandOf(5, 0),
    NOW,
    { do: "repeat", outcome: "done" },
  ],
  ["one the gateway died in", kept(5, null), commandOf(5), NOW, { do: "repeat", outcome: "unknown" }],
  [
    "another one of the same number",
    kept(5, "done"),
    { ...commandOf(5), commandId: idOf(77) },
    NOW,
    { do: "stale" },
  ],
  ["an older one", kept(5, "done"), commandOf(4), NOW, { do: "stale" }],
  ["numbers may be left out", kept(5, "done"), commandOf(9), NOW, { do: "execute" }],
] as const) {
  test(`S26: admit: ${what}`, () => expect(admitCommand(known, command, hubNowMs)).toEqual(verdict));
}

test("the record keeps the newest thousand, and the highest number for ever", () => {
  let known = NOTHING;
  for (let no = 1; no <= KNOWN_COMMANDS_MAX + 10; no++)
    known = withCommand(known, { commandId: idOf(no), commandNo: no, atMs: NOW, outcome: "done" });
  expect(known.commands).toHaveLength(KNOWN_COMMANDS_MAX);
  expect(admitCommand(known, commandOf(3), NOW)).toEqual({ do: "stale" });
  expect(admitCommand(known, commandOf(11), NOW)).toEqual({ do: "repeat", outcome: "done" });
});

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

interface Rig {
  folder: string;
  desk: CommandDesk;
  events: GatewayEvent[];
  /** What the record on disk said at the moment each command ran. */
  ran: ReturnType<typeof onDisk>[];
}

/** What the record on disk says, as another program reads it. */
function onDisk(folder: string): { commandNo: number; outcome: string | null }[] {
  using db = new Database(join(folder, "commands.db"), { readonly: true });
  return db.query("SELECT command_no AS commandNo, outcome FROM command ORDER BY place").all() as never;
}

async function rig(
  folder?: string,
  over: Partial<Pick<CommandDeskInput, "clock" | "hubNowMs" | "isGenuine" | "perform">> = {},
): Promise<Rig> {
  const home = folder ?? (await mkdtemp(join(tmpdir(), "millrace-commands-")));
  if (!folder) folders.push(home);
  const events: GatewayEvent[] = [];
  const ran: Rig["ran"] = [];
  const desk = await openCommandDesk({
    folder: home,
    clock: over.clock ?? systemClock,
    hubNowMs: over.hubNowMs ?? (() => NOW),
    isGenuine: over.isGenuine ?? (() => true),
    perform: async (body, running) => {
      ran.push(onDisk(home));
      return (await over.perform?.(body, running)) ?? { message: "It was done." };
    },
    report: (event) => events.push(...decodeEvents(encodeEvents([event]))),
  });
  return { folder: home, desk, events, ran };
}

const outcomes = ({ events }: Rig) => events.map(({ code, data }) => [code, data.commandNo, data.outcome]);

test("S26: a command is on disk before it runs, runs once, and its outcome is told at each repeat", async () => {
  const r = await rig();
  await Promise.all([r.desk.take(commandOf(1)), r.desk.take(commandOf(1))]);
  expect(r.ran).toHaveLength(1);
  expect(r.ran[0]).toEqual([{ commandNo: 1, outcome: null }]);
  const again = await rig(r.folder);
  expect(again.desk.highestNo()).toBe(1);
  await again.desk.take(commandOf(1));
  await again.desk.take({ ...commandOf(1), commandId: idOf(8) });
  expect(again.ran).toHaveLength(0);
  expect([...outcomes(r), ...outcomes(again)]).toEqual([
    ["command.done", 1, "done"],
    ["command.done", 1, "done"],
    ["command.done", 1, "done"],
    ["command.done", 1, "stale"],
  ]);
});

test("a gateway that dies in a command tells at its next start that nobody knows, and does not begin again", async () => {
  const r = await rig();
  await r.desk.take(commandOf(1));
  const record = await openCommandRecord(r.folder);
  await record.keep(NOTHING, { commandId: idOf(2), commandNo: 2, atMs: NOW, outcome: null });
  record.close();
  const next = await rig(r.folder);
  await next.desk.take(commandOf(2));
  expect(next.ran).toHaveLength(0);
  expect(outcomes(next)).toEqual([
    ["command.done", 2, "unknown"],
    ["command.done", 2, "unknown"],
  ]);
  expect(outcomes(await rig(r.folder))).toEqual([]);
});

test("S26: expiry is judged when its turn has come, and again when it is on disk", async () => {
  let nowMs = NOW;
  const r = await rig(undefined, {
    hubNowMs: () => {
      nowMs += 20_000;
      return nowMs;
    },
  });
  await r.desk.take(commandOf(1));
  await r.desk.take(commandOf(2));
  expect(r.ran).toHaveLength(0);
  expect(outcomes(r).map(([, , outcome]) => outcome)).toEqual(["expired", "expired"]);
  expect(r.desk.highestNo()).toBe(2);
});

test("a failure is told in the words of its error", async () => {
  const r = await rig(undefined, {
    perform: async () => {
      throw new AppError("entity.missing", "This gateway has no device of that id.");
    },
  });
  await r.desk.take(commandOf(1));
  expect(r.events[0]).toMatchObject({ data: { outcome: "failed", commandId: idOf(1) } });
  expect(r.events[0]!.message).toContain("no device of that id");
});

test("what follows a command waits until its outcome is on disk and told", async () => {
  const seen: unknown[] = [];
  const r = await rig(undefined, {
    perform: async () => ({
      message: "It goes on from here.",
      afterwards: () => {
        seen.push(onDisk(r.folder)[0]?.outcome);
        seen.push(...outcomes(r));
      },
    }),
  });
  await r.desk.take(commandOf(1));
  await r.desk.take(commandOf(1));
  expect<unknown[]>(seen).toEqual(["done", ["command.done", 1, "done"]]);
  expect(r.events[0]!.message).toContain("It goes on from here.");
});

test("one that does not end is left to itself, and the next one has its turn", async () => {
  const r = await rig(undefined, {
    clock: { ...systemClock, sleep: async () => undefined },
    perform: () => new Promise(() => undefined),
  });
  await r.desk.take(commandOf(1));
  await r.desk.take(commandOf(2));
  expect(r.ran).toHaveLength(2);
  expect(outcomes(r).map(([, , outcome]) => outcome)).toEqual(["unknown", "unknown"]);
});

test("a command that cannot be kept is not carried out", async () => {
  const r = await rig();
  const other = new Database(join(r.folder, "commands.db"));
  other.run("BEGIN EXCLUSIVE");
  await r.desk.take(commandOf(1));
  other.close();
  expect(r.ran).toHaveLength(0);
  expect(outcomes(r)).toEqual([["command.done", 1, "failed"]]);
});

test("a damaged record stops commands, never the start", async () => {
  const folder = await mkdtemp(join(tmpdir(), "millrace-commands-"));
  folders.push(folder);
  await writeFile(join(folder, "commands.db"), "no database at all, of whatever length it may be".repeat(90));
  const next = await rig(folder);
  expect(next.desk.problem()).toMatchObject({ code: "setting.wrong" });
  expect(next.desk.highestNo()).toBeNull();
  await next.desk.take(commandOf(1));
  expect(next.ran).toHaveLength(0);
  expect(next.events[0]!.message).toContain("commands.db");
});

test("a record as older gateways kept it is taken over once", async () => {
  const folder = await mkdtemp(join(tmpdir(), "millrace-commands-"));
  folders.push(folder);
  const path = join(folder, "commands.json");
  await writeFile(path, JSON.stringify(kept(7, "done")));
  expect((await rig(folder)).desk.highestNo()).toBe(7);
  expect(existsSync(path)).toBe(false);
  expect(onDisk(folder)).toEqual([{ commandNo: 7, outcome: "done" }]);
});

const writeOf = (commandNo: number): Command => ({
  ...commandOf(commandNo),
  body: { kind: "writeTag", tagNo: 1, value: 5, expected: 4, by: ["Ada"] },
});

test("S26: a write that is not signed, or by somebody else, is not taken and no outcome is told", async () => {
  const r = await rig(undefined, { isGenuine: (_, signature) => signature === "right" });
  await r.desk.take(writeOf(1));
  await r.desk.take(writeOf(1), "wrong");
  await r.desk.take(commandOf(2), "wrong");
  expect([r.ran.length, r.desk.highestNo()]).toEqual([0, 0]);
  expect<unknown[]>(r.events.map(({ code, data }) => [code, data.commandId])).toEqual([
    ["command.forged", undefined],
    ["command.forged", undefined],
    ["command.forged", undefined],
  ]);
  await r.desk.take(writeOf(1), "right");
  expect(outcomes(r).at(-1)).toEqual(["command.done", 1, "done"]);
});

test("S26: one that would live longer than any may, or was made later than now, is refused", async () => {
  const r = await rig();
  await r.desk.take(commandOf(1, NOW + 40_000));
  await r.desk.take({ ...commandOf(2), notBeforeMs: NOW + 5_000 });
  expect(r.ran).toEqual([]);
  expect(outcomes(r)).toEqual([
    ["command.done", 1, "failed"],
    ["command.done", 2, "failed"],
  ]);
});

test("a write that takes long holds up no other, and its outcome is kept beside theirs", async () => {
  const first = Promise.withResolvers<void>();
  const r = await rig(undefined, {
    perform: async (body) => {
      if (body.kind === "writeTag") await first.promise;
      return { message: "It was done." };
    },
  });
  const slow = r.desk.take(writeOf(1), "right");
  await r.desk.take(commandOf(2));
  expect(outcomes(r)).toEqual([["command.done", 2, "done"]]);
  first.resolve();
  await slow;
  expect(onDisk(r.folder).map(({ outcome }) => outcome)).toEqual(["done", "done"]);
});
