import { AppError } from "@millrace/contract/error/app-error";
import { EntityId } from "@millrace/contract/vocabulary/id";
import { LogLevel } from "@millrace/contract/vocabulary/log";
import { CommandOutcome } from "@millrace/contract/wire/command";
import type { GatewayEvent } from "@millrace/contract/wire/event";
import { Type } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import type { CommandRelease } from "../db/schema/command.ts";

/** Times the hub takes for one: some two thousand years around 1970, so that whoever shows it can. */
export const TIME_MS_MAX = 6e13;
const BOOT_NO_MAX = 0xffff_ffff;

/** An event as the database takes it. */
export interface EventWrite {
  position: number;
  at: number;
  code: string;
  severity: GatewayEvent["severity"];
  message: string;
  deviceId: string | null;
  data: Record<string, string | number | boolean | null>;
}

/** A log record as the database takes it. */
export interface LogWrite extends Omit<EventWrite, "code" | "severity"> {
  level: LogLevel;
  logger: string;
}

/** Times of a boot, told by a gateway whose clock came late. */
export interface ClockAnchor {
  bootNo: number;
  offsetMs: number;
  quality: string;
}

/** PostgreSQL stores neither NUL nor half of a surrogate pair; one such character must not block a lane. */
export const storable = (text: string): string => text.toWellFormed().replaceAll("\u0000", "\ufffd");

/** @throws AppError `frame.garbled` for a time nobody can show */
export function writableEvents(events: readonly GatewayEvent[]): EventWrite[] {
  return events.map(({ timeMs, code, severity, message, deviceId, data }, position) => {
    if (!(Math.abs(timeMs) <= TIME_MS_MAX))
      throw new AppError("frame.garbled", `Event ${position} has the time ${timeMs}`);
    const facts = Object.entries(data)
      .filter(([, fact]) => fact === null || typeof fact !== "object")
      .map(([name, fact]) => [storable(name), typeof fact === "string" ? storable(fact) : fact] as const);
    return {
      position,
      at: timeMs,
      code,
      severity,
      message: storable(message),
      deviceId: deviceId ?? null,
      data: Object.fromEntries(facts),
    };
  });
}

/** What `clock.anchored` events say; one with other data than agreed is only shown. */
export function anchorsOf(events: readonly GatewayEvent[]): ClockAnchor[] {
  return events.flatMap(({ code, data }) => {
    const { bootNo, offsetMs, quality } = data;
    if (code !== "clock.anchored" || typeof bootNo !== "number" || typeof offsetMs !== "number") return [];
    if (!Number.isInteger(bootNo) || bootNo < 1 || bootNo > BOOT_NO_MAX) return [];
    if (!(Math.abs(offsetMs) <= TIME_MS_MAX)) return [];
    return [{ bootNo, offsetMs, quality: typeof quality === "string" ? storable(quality) : "" }];
  });
}

const isLevel = TypeCompiler.Compile(LogLevel);
const LOGGER_CHARS_MAX = 64;

/** Log records stand apart from the other events. One of an unknown level has that of its severity. */
export function splitLogs(events: readonly EventWrite[]): { told: EventWrite[]; logs: LogWrite[] } {
  const told: EventWrite[] = [];
  const logs: LogWrite[] = [];
  for (const event of events) {
    if (event.code !== "log.record") {
      told.push(event);
      continue;
    }
    const { code: _, severity, data, ...rest } = event;
    const { level, logger, ...facts } = data;
    logs.push({
      ...rest,
      level: isLevel.Check(level) ? level : severity,
      logger: typeof logger === "string" ? logger.slice(0, LOGGER_CHARS_MAX) : "",
      data: facts,
    });
  }
  return { told, logs };
}

const answer = TypeCompiler.Compile(Type.Object({ commandId: EntityId, outcome: CommandOutcome }));
const release = TypeCompiler.Compile(Type.Object({ commandId: EntityId }));

/** What gateways told of one command. */
export interface CommandAnswer {
  commandId: string;
  /** Null when only what followed was told. */
  outcome: CommandOutcome | null;
  /** What was told with the outcome. */
  result: Pick<EventWrite, "message" | "data"> | null;
  /** What became of a momentary value that outlived its press. */
  release: CommandRelease | null;
}

/**
 * What the events say of commands: the first outcome of each, and the first word on what was held. One with other data
 * than agreed is only shown.
 */
export function answersOf(
  events: readonly Pick<EventWrite, "at" | "code" | "message" | "data">[],
): CommandAnswer[] {
  const answers = new Map<string, CommandAnswer>();
  for (const { at, code, message, data } of events) {
    const isDone = code === "command.done" && answer.Check(data);
    const isRelease = (code === "write.released" || code === "write.stuck") && release.Check(data);
    if (!isDone && !isRelease) continue;
    const { commandId } = data;
    const known = answers.get(commandId) ?? { commandId, outcome: null, result: null, release: null };
    if (isDone && known.outcome === null)
      answers.set(commandId, { ...known, outcome: data.outcome, result: { message, data } });
    if (isRelease && known.release === null)
      answers.set(commandId, { ...known, release: { taken: code === "write.released", at, message } });
  }
  return [...answers.values()];
}
