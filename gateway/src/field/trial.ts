import { decodeSettings } from "@millrace/contract/driver/settings";
import { AppError, asAppError } from "@millrace/contract/error/app-error";
import type { ErrorCode } from "@millrace/contract/error/code";
import { unreachable } from "@millrace/contract/std/assert";
import { canonicalJson } from "@millrace/contract/std/canonical-json";
import { QUALITY, qualityName } from "@millrace/contract/vocabulary/quality";
import { type JsonValue, type TagValue, valueToJson } from "@millrace/contract/vocabulary/value";
import type {
  FieldBrowse,
  FieldCause,
  FieldConnection,
  FieldPoint,
  FieldRead,
  FieldReading,
  FieldTried,
} from "@millrace/contract/wire/field";
import { LIMITS } from "@millrace/contract/wire/limits";
import type { Point, Reading } from "../driver/driver.ts";
import type { AnyDriver, driverOf } from "../driver/registry.ts";
import { derivationOf, deriveQuality, deriveValue } from "../scan/derive.ts";
import { causeOf, isLinkCode, qualityOf } from "../supervisor/cause.ts";
import type { Line } from "../supervisor/line.ts";
import type { Linger } from "./linger.ts";
import { causeOfQuality, fieldCause } from "./words.ts";

/**
 * How often a part is read to part refused addresses from good ones: a driver looks for them a bounded number of times
 * in one call and goes on in the next.
 */
const ROUNDS_MAX = 4;

export interface TrialDeps {
  driverOf: typeof driverOf;
  visit: (driver: AnyDriver, settings: unknown) => Line;
  /** Keeps the line of a test that is likely to be followed by another. */
  linger?: Linger;
  /** Hears what is being done, so that a test that took too long can say where it stood. */
  onStage: (stage: string) => void;
}

/**
 * Tries what the hub asked on the real device. What the device says, also that it is away, is the result.
 * @throws AppError `setting.wrong` before anything is opened; the reason of the signal
 */
export async function tryField(
  deps: TrialDeps,
  body: FieldConnection | FieldRead | FieldBrowse,
  signal: AbortSignal,
): Promise<FieldTried<"connection" | "read" | "browse">> {
  const driver = deps.driverOf(body.driver);
  const settings = decodeSettings(driver, body.settings);
  const key = `${driver.kind}:${canonicalJson(settings)}`;
  const linger = body.kind === "browse" ? deps.linger : undefined;
  const line = (await linger?.take(key)) ?? deps.visit(driver, settings);
  let open = false;
  try {
    const trial = { deps, driver, settings, line, signal };
    switch (body.kind) {
      case "connection":
        return await tryConnection(trial);
      case "read":
        return await tryRead(trial, body);
      case "browse": {
        const page = await tryBrowse(trial, body);
        open = page.ok;
        return page;
      }
      default:
        return unreachable(body);
    }
  } finally {
    deps.onStage("closing the connection");
    if (open && linger !== undefined) linger.hold(key, line);
    else await line.close();
  }
}

interface Trial {
  deps: TrialDeps;
  driver: AnyDriver;
  settings: unknown;
  line: Line;
  signal: AbortSignal;
}

/** Opens the line; the cause when that fails. A cancelled test throws. */
async function opened({ deps, line, signal }: Trial): Promise<FieldCause | null> {
  deps.onStage("connecting to the device");
  try {
    await line.open(signal);
    return null;
  } catch (thrown) {
    return told(thrown, signal);
  }
}

/** What went wrong, in words. @throws the reason of the signal; a bug of ours, which is no answer of a device */
function told(thrown: unknown, signal: AbortSignal): FieldCause {
  signal.throwIfAborted();
  const { code, message, certificate } = causeOf(thrown);
  if (code === "internal.bug") throw thrown;
  return fieldCause(code, message, certificate);
}

const unfinished = (line: Line, cause: FieldCause) => ({
  ok: false,
  shared: line.shared,
  roundTripMs: line.roundTripMs,
  cause,
});

async function tryConnection(trial: Trial): Promise<FieldTried<"connection">> {
  const { deps, driver, settings, line, signal } = trial;
  const kind = "connection";
  const closed = await opened(trial);
  if (closed !== null) return { kind, ...unfinished(line, closed) };
  const probe = driver.probe?.(settings as never);
  if (probe !== undefined) {
    deps.onStage("waiting for an answer of the device");
    const address = driver.parseAddress(probe.address, probe.dataType, settings as never);
    try {
      // Whatever the reading says: somebody answered, be it by a refusal.
      await line.read([{ id: 0, address, dataType: probe.dataType }], signal);
    } catch (thrown) {
      return { kind, ...unfinished(line, told(thrown, signal)) };
    }
  }
  return { kind, ok: true, shared: line.shared, roundTripMs: line.roundTripMs };
}

/** A page of the device's own address space. @throws AppError `field.unsupported` where a driver has none */
async function tryBrowse(trial: Trial, body: FieldBrowse): Promise<FieldTried<"browse">> {
  const { deps, driver, line, signal } = trial;
  const kind = "browse";
  if (!driver.capabilities.browse)
    throw new AppError("field.unsupported", `${driver.label} devices have no places to browse.`);
  const failed = (cause: FieldCause): FieldTried<"browse"> => ({
    kind,
    ...unfinished(line, cause),
    nodes: [],
    after: null,
  });
  const closed = await opened(trial);
  if (closed !== null) return failed(closed);
  deps.onStage("looking what lies there");
  try {
    const page = await line.browse(body.from, body.after, signal);
    const { shared, roundTripMs } = line;
    return { kind, ok: true, shared, roundTripMs, ...page };
  } catch (thrown) {
    return failed(told(thrown, signal));
  }
}

/** One point of the question: ready to be read, or the reason why it never can be. */
type Asked = { point: Point } | { cause: FieldCause };
/** Readings of a part by place, or why there are none. */
type PartOutcome = ReadonlyMap<number, Reading> | FieldCause;
const isCause = (outcome: PartOutcome): outcome is FieldCause => "code" in outcome;

async function tryRead(trial: Trial, body: FieldRead): Promise<FieldTried<"read">> {
  const { line } = trial;
  const parts = body.parts.map((part) => part.map((one, id) => ({ one, asked: prepared(trial, one, id) })));
  const pointsOf = (part: (typeof parts)[number]) =>
    part.flatMap(({ asked }) => ("point" in asked ? [asked.point] : []));
  let down = await opened(trial);
  let failed = down;
  let answered = false;
  const readings: FieldReading[] = [];
  for (const part of parts) {
    const outcome: PartOutcome = down ?? (await readPart(trial, pointsOf(part)));
    if (isCause(outcome)) {
      failed ??= outcome;
      // A link that is gone stays gone for this test; a device silent for one part may give another.
      if (isLinkCode(outcome.code as ErrorCode)) down = outcome;
    } else answered ||= outcome.size > 0;
    for (const { one, asked } of part) readings.push(readingOf(line, one, asked, outcome));
  }
  return {
    kind: "read",
    ok: answered || failed === null,
    shared: line.shared,
    roundTripMs: line.roundTripMs,
    ...(answered || failed === null ? {} : { cause: failed }),
    requests: line.requestsFor(parts.flatMap(pointsOf)),
    readings,
  };
}

function prepared({ driver, settings }: Trial, { address, dataType }: FieldPoint, id: number): Asked {
  try {
    return { point: { id, address: driver.parseAddress(address, dataType, settings as never), dataType } };
  } catch (thrown) {
    const { code, message } = asAppError(thrown, "address.illegal");
    return { cause: fieldCause(code, message) };
  }
}

const ILLEGAL = QUALITY["bad.addressIllegal"];

async function readPart({ deps, line, signal }: Trial, points: readonly Point[]): Promise<PartOutcome> {
  const byId = new Map(points.map((point) => [point.id, point]));
  const unexplained = ({ id, quality }: Reading) =>
    quality === ILLEGAL && line.explain(byId.get(id)!) === null;
  let got = new Map<number, Reading>();
  if (points.length === 0) return got;
  let illegal = points.length;
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    deps.onStage(round === 1 ? "reading the points" : "finding out which addresses the device refuses");
    try {
      const readings = await line.read(points, signal);
      got = new Map(readings.map((reading) => [reading.id, reading]));
    } catch (thrown) {
      const cause = told(thrown, signal);
      return round === 1 ? cause : got;
    }
    const now = [...got.values()].filter(({ quality }) => quality === ILLEGAL).length;
    if (now >= illegal || ![...got.values()].some(unexplained)) break;
    illegal = now;
  }
  return got;
}

function readingOf(line: Line, one: FieldPoint, asked: Asked, outcome: PartOutcome): FieldReading {
  if ("cause" in asked) return valueless("bad.addressIllegal", asked.cause);
  if (isCause(outcome)) return valueless(qualityName(qualityOf(outcome.code as ErrorCode)), outcome);
  const reading = outcome.get(asked.point.id);
  const raw = reading?.value ?? null;
  const derivation = derivationOf(one);
  const value = raw === null ? null : deriveValue(derivation, raw);
  const quality = deriveQuality(derivation, value, reading?.quality ?? QUALITY["bad.driverFailed"]);
  const cause = causeOfQuality(quality, line.explain(asked.point));
  return {
    raw: jsonOf(raw),
    value: jsonOf(value),
    quality: qualityName(quality),
    ...(cause === undefined ? {} : { cause }),
  };
}

const valueless = (quality: string, cause: FieldCause): FieldReading => ({
  raw: null,
  value: null,
  quality,
  cause,
});

const jsonOf = (value: TagValue): JsonValue =>
  valueToJson(typeof value === "string" ? value.slice(0, LIMITS.fieldTextCharsMax) : value);
