import type { LogRecord } from "@logtape/logtape";
import { isSecretName, REDACTED, redactData, redactText } from "@millrace/contract/std/redact";
import { EntityId } from "@millrace/contract/vocabulary/id";
import { LOG_RECORD, type LogLevel } from "@millrace/contract/vocabulary/log";
import type { GatewayEvent } from "@millrace/contract/wire/event";
import { Value } from "@sinclair/typebox/value";

type Fact = GatewayEvent["data"][string];

const FACT_NAME = /^[a-z][A-Za-z]{0,31}$/;
/** Names the event itself uses. */
const OWN_NAMES = new Set(["level", "logger", "deviceId"]);
/** A value of ours that is longer is no fact; cutting first keeps the search for secrets short. */
const RAW_CHARS_MAX = 4_000;

/** The library's levels in our four. */
export function levelOf(level: LogRecord["level"]): LogLevel {
  if (level === "fatal") return "error";
  return level === "trace" ? "debug" : level;
}

const severityOf = (level: LogLevel): GatewayEvent["severity"] =>
  level === "error" || level === "warning" ? level : "info";

/** A line break or a bidi mark in a name must not forge a second line or hide what stands there. */
const shown = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Bidi_Control}]/gu, (one) => `\\u{${one.codePointAt(0)!.toString(16)}}`);

const cut = (text: string, charsMax: number): string =>
  text.length <= charsMax ? text : `${text.slice(0, charsMax - 1).toWellFormed()}…`;

/** Of an error only its sentence: where in our code it was thrown is for the local log. */
function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Error) return value.message;
  if (typeof value !== "object" || value === null) return String(value);
  try {
    // Through JSON first: what refers to itself ends there, and what is left is a tree.
    return JSON.stringify(redactData(JSON.parse(JSON.stringify(value))));
  } catch {
    return "[a value that cannot be shown]";
  }
}

const clean = (text: string, charsMax: number, secrets: Iterable<string>): string =>
  cut(shown(redactText(text.slice(0, RAW_CHARS_MAX), secrets)), charsMax);

function factOf(name: string, value: unknown, secrets: Iterable<string>): Fact {
  if (isSecretName(name)) return REDACTED;
  if (typeof value === "boolean" || value === null) return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  return clean(textOf(value), LOG_RECORD.factCharsMax, secrets);
}

/**
 * A log record as an event of lane E: bounded, on one line, without secrets.
 * @param secrets values that must not leave this machine
 */
export function logEvent(record: LogRecord, timeMs: number, secrets: Iterable<string>): GatewayEvent {
  const known = [...secrets];
  const level = levelOf(record.level);
  const { deviceId } = record.properties;
  const facts = Object.entries(record.properties)
    .filter(([name, value]) => FACT_NAME.test(name) && !OWN_NAMES.has(name) && value !== undefined)
    .slice(0, LOG_RECORD.factsMax)
    .map(([name, value]) => [name, factOf(name, value, known)] as const);
  return {
    timeMs,
    code: "log.record",
    severity: severityOf(level),
    message: clean(record.message.map(textOf).join(""), LOG_RECORD.messageCharsMax, known),
    ...(Value.Check(EntityId, deviceId) ? { deviceId } : {}),
    data: { ...Object.fromEntries(facts), level, logger: record.category.join(".").slice(0, 64) },
  };
}
