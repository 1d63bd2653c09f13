import type { SimulatorAddress } from "@millrace/contract/driver/simulator/address";
import type { Load } from "@millrace/contract/driver/simulator/settings";
import type { Signal, State } from "@millrace/contract/driver/simulator/signals";
import { unreachable } from "@millrace/contract/std/assert";
import type { DataType, TagValue } from "@millrace/contract/vocabulary/value";
import { WHOLE_RANGE } from "@millrace/contract/vocabulary/whole-range";
import { chance, walk } from "./chance.ts";
import { loadAt, workedMs } from "./load.ts";
import type { Memory } from "./memory.ts";

/** What a signal is made of besides its options. All of it is given: the same again gives the same value. */
export interface World {
  /** UTC. */
  wallMs: number;
  monoMs: number;
  load: Load;
  utcOffsetMs: number;
  memory: Memory;
}

/** Counters count from here. */
const COUNT_FROM_MS = Date.UTC(2026, 0, 1);
const NOISE_STEP_MS = 100;
/** Below it a machine with states is in its idle one, and `load` as boolean is false. */
const WORKING_FROM = 0.1;
/** How far out a spike goes, in spans of its signal. */
const SPIKE_SPANS = 3;

/** The undisturbed value of a signal; null where the machine has no such place. */
export function signalValue({ signal, dataType }: SimulatorAddress, seed: number, world: World): TagValue {
  switch (signal.name) {
    case "constant":
      return signal.options.value;
    case "missing":
      return null;
    case "pulse": {
      const { every, width, phase } = signal.options;
      return part(world.wallMs, every, phase, seed) * every < width;
    }
    case "states": {
      const { list, idle, phase } = signal.options;
      const index =
        idle !== "" && loadNow(world) < WORKING_FROM
          ? list.findIndex(({ word }) => word === idle)
          : stateAt(list, part(world.wallMs, cycleMs(list), phase, seed));
      return dataType === "text" ? list[index]!.word : typed(index, dataType);
    }
    case "load": {
      const load = loadNow(world);
      if (dataType === "boolean") return load >= WORKING_FROM;
      const { min, max } = signal.options;
      return typed(min + (max - min) * load, dataType);
    }
    case "setpoint":
      return world.memory.at(signal.options.name, world) ?? signal.options.start;
    case "follow":
      return followed(signal.options, dataType, world);
    case "square": {
      const { min, max, period, phase, duty, load } = signal.options;
      const isHigh = part(world.wallMs, period, phase, seed) < duty;
      return dataType === "boolean" ? isHigh : typed(loaded(isHigh ? max : min, min, load, world), dataType);
    }
    case "counter":
      return counted(signal.options, dataType, world);
    case "sine":
    case "triangle":
    case "ramp":
    case "walk":
    case "noise":
      return typed(swung(signal, seed, world), dataType);
    default:
      return unreachable(signal);
  }
}

type Swinging = Extract<Signal, { name: "sine" | "triangle" | "ramp" | "walk" | "noise" }>;

function swung(signal: Swinging, seed: number, world: World): number {
  const { min, max } = signal.options;
  const level = levelOf(signal, seed, world.wallMs);
  return loaded(min + (max - min) * level, min, "load" in signal.options ? signal.options.load : 0, world);
}

/** Where between its least and its greatest value a signal is, 0 to 1. */
function levelOf(signal: Swinging, seed: number, wallMs: number): number {
  if (signal.name === "noise") return chance(seed, Math.floor(wallMs / signal.options.every));
  if (signal.name === "walk") return walk(seed, wallMs, signal.options.period);
  const at = part(wallMs, signal.options.period, signal.options.phase, seed);
  if (signal.name === "sine") return (1 + Math.sin(2 * Math.PI * at)) / 2;
  return signal.name === "triangle" ? 1 - Math.abs(2 * at - 1) : at;
}

/** Part of the period that is over, 0 to 1. */
function part(wallMs: number, periodMs: number, phase: number | null, seed: number): number {
  const at = wallMs / periodMs + (phase ?? chance(seed, 0));
  return at - Math.floor(at);
}

const loadNow = ({ load, wallMs, utcOffsetMs }: World): number => loadAt(load, wallMs + utcOffsetMs);

/** A share of what is above the least value comes and goes with the plant's load. */
const loaded = (value: number, min: number, share: number, world: World): number =>
  share === 0 ? value : min + (value - min) * (1 - share + share * loadNow(world));

const cycleMs = (list: readonly State[]): number => list.reduce((sum, { ms }) => sum + ms, 0);

function stateAt(list: readonly State[], at: number): number {
  let leftMs = at * cycleMs(list);
  for (const [index, { ms }] of list.entries()) {
    if (leftMs < ms) return index;
    leftMs -= ms;
  }
  return list.length - 1;
}

type OptionsOf<N extends Signal["name"]> = Extract<Signal, { name: N }>["options"];

function counted(options: OptionsOf<"counter">, dataType: DataType, world: World): TagValue {
  const { start, step, every, load } = options;
  const local = world.wallMs + world.utcOffsetMs;
  const worked =
    load === 0 ? 0 : workedMs(world.load, local) - workedMs(world.load, COUNT_FROM_MS + world.utcOffsetMs);
  const countedMs = (world.wallMs - COUNT_FROM_MS) * (1 - load) + worked * load;
  const count = start + step * Math.max(0, Math.floor(countedMs / every));
  const bounds = WHOLE_RANGE[dataType];
  if (bounds === undefined) return typed(count, dataType);
  // A counter of a machine begins again where its memory ends.
  const [least, most] = bounds;
  const size = most - least + 1n;
  const turned = (((BigInt(Math.round(count)) - least) % size) + size) % size;
  return dataType === "int64" || dataType === "uint64" ? turned + least : Number(turned + least);
}

function followed(options: OptionsOf<"follow">, dataType: DataType, world: World): TagValue {
  const { of, lag, low, high } = options;
  const goal = world.memory.at(of, world);
  if (goal === undefined) return null;
  // What is no number comes as it was, later.
  if (dataType === "text" || dataType === "boolean") {
    const before = world.memory.at(of, { monoMs: world.monoMs - lag })!;
    return dataType === "text" ? String(before) : Boolean(before);
  }
  const numberOf = (value: TagValue): number => {
    if (typeof value === "boolean") return value ? high : low;
    const number = Number(value);
    return Number.isFinite(number) ? number : 0;
  };
  return typed(world.memory.lagged(of, lag, world, numberOf), dataType);
}

/** A number as a tag's type holds it: whole types round and end at their bounds. */
export function typed(value: number, dataType: DataType): TagValue {
  if (dataType === "float32") return Math.fround(value);
  const bounds = WHOLE_RANGE[dataType];
  if (bounds === undefined) return value;
  const whole = BigInt(Math.round(value));
  const kept = whole < bounds[0] ? bounds[0] : whole > bounds[1] ? bounds[1] : whole;
  return dataType === "int64" || dataType === "uint64" ? kept : Number(kept);
}

/** Noise of a sensor around a value, and how far out it goes while it spikes. Texts have neither. */
export function disturbed(
  value: TagValue,
  { signal, common, dataType }: SimulatorAddress,
  { seed, wallMs, isSpiking }: { seed: number; wallMs: number; isSpiking: boolean },
): TagValue {
  if (typeof value === "boolean") return isSpiking ? !value : value;
  if (value === null || typeof value === "string") return value;
  if (common.noise === 0 && !isSpiking) return value;
  const { min = null, max = null } = signal.options as { min?: number | null; max?: number | null };
  const span = min !== null && max !== null && max > min ? max - min : Math.max(1, Math.abs(Number(value)));
  const noise = common.noise * (2 * chance(seed + 1, Math.floor(wallMs / NOISE_STEP_MS)) - 1);
  // A 64-bit value is disturbed as such: through a double it would lose its last digits.
  const by = noise + (isSpiking ? SPIKE_SPANS * span : 0);
  if (typeof value === "number") return typed(value + by, dataType);
  const [least, most] = WHOLE_RANGE[dataType]!;
  const moved = value + BigInt(Math.round(by));
  return moved < least ? least : moved > most ? most : moved;
}
