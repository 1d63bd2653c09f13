import { formatAddress, type SimulatorAddress } from "@millrace/contract/driver/simulator/address";
import type { SimulatorSettings } from "@millrace/contract/driver/simulator/settings";
import { FAULT_QUALITY, fits } from "@millrace/contract/driver/simulator/signals";
import type { Window } from "@millrace/contract/driver/simulator/window";
import type { ErrorCode } from "@millrace/contract/error/code";
import { QUALITY, qualityLevel } from "@millrace/contract/vocabulary/quality";
import type { Point, PointWrite, Reading } from "../../driver/driver.ts";
import { seedOf } from "./chance.ts";
import { disturbed, signalValue, typed } from "./codec.ts";
import { type Faults, placeIn } from "./faults.ts";
import { Memory, type Moment } from "./memory.ts";

const MINUTE_MS = 60_000;

interface Now extends Moment {
  wallMs: number;
}

/** What one machine holds: signals by the clock, and what was written to its setpoints. It has no wire. */
export class Machine {
  readonly memory = new Memory();
  readonly #settings: SimulatorSettings;
  readonly #faults: Faults;
  readonly #seed: number;
  /** Each tag goes its own way by what its address says. */
  readonly #seeds = new WeakMap<SimulatorAddress, number>();

  constructor(settings: SimulatorSettings, faults: Faults) {
    this.#settings = settings;
    this.#faults = faults;
    this.#seed = seedOf(settings.machine, settings.seed);
  }

  read({ id, address }: Point<SimulatorAddress>, now: Now): Reading {
    const seed = this.#seedOf(address);
    const wallMs = this.#stoodStillAt(address, now.wallMs, seed) ?? now.wallMs;
    const { load, utcOffsetMin, clockOffsetMs } = this.#settings;
    const undisturbed = signalValue(address, seed, {
      wallMs,
      monoMs: now.monoMs - (now.wallMs - wallMs),
      load,
      utcOffsetMs: utcOffsetMin * MINUTE_MS,
      memory: this.memory,
    });
    if (undisturbed === null) return { id, value: null, quality: QUALITY["bad.addressIllegal"] };
    const isSpiking = this.#faults.is("spikes", wallMs) || isIn(address.common.spike, wallMs, seed, "spike");
    const value = disturbed(undisturbed, address, { seed, wallMs, isSpiking });
    const quality = this.#qualityOf(address, now.wallMs, seed);
    return {
      id,
      value: qualityLevel(quality) === "bad" ? null : value,
      quality,
      ...(clockOffsetMs === 0 ? {} : { sourceTimeMs: wallMs + clockOffsetMs }),
    };
  }

  write({ address: { signal, dataType }, value }: PointWrite<SimulatorAddress>, now: Moment): void {
    if (signal.name !== "setpoint") return;
    this.memory.declare(signal.options.name, signal.options.start);
    this.memory.write(signal.options.name, typeof value === "number" ? typed(value, dataType) : value, now);
  }

  #seedOf(address: SimulatorAddress): number {
    const known = this.#seeds.get(address);
    if (known !== undefined) return known;
    const seed = seedOf(formatAddress(address), this.#seed);
    this.#seeds.set(address, seed);
    return seed;
  }

  /** When a frozen value stopped moving; null when it moves. */
  #stoodStillAt({ common }: SimulatorAddress, wallMs: number, seed: number): number | null {
    const own = common.frozen && placeIn(common.frozen, wallMs, seedOf("frozen", seed));
    const whole = this.#faults.place("frozen", wallMs);
    const starts = [own, whole].flatMap((place) => (place?.inside ? [place.startMs] : []));
    return starts.length === 0 ? null : Math.min(...starts);
  }

  #qualityOf({ common }: SimulatorAddress, wallMs: number, seed: number): number {
    const { bad, quality } = common;
    const isBad = bad === null ? quality !== null : isIn(bad, wallMs, seed, "bad");
    return isBad ? QUALITY[quality ?? FAULT_QUALITY] : QUALITY.good;
  }
}

const isIn = (window: Window | null, wallMs: number, seed: number, what: string): boolean =>
  window !== null && placeIn(window, wallMs, seedOf(what, seed)).inside;

/** Why a machine does not take a value; null when it does. */
export function refusalOf({
  address: { signal, dataType },
  value,
}: PointWrite<SimulatorAddress>): { code: ErrorCode; message: string } | null {
  if (signal.name !== "setpoint")
    return { code: "address.illegal", message: `A ${signal.name} cannot be written; a setpoint can.` };
  if (!fits(value, dataType))
    return { code: "request.invalid", message: `Not written: ${value} is no value of type ${dataType}.` };
  const { min, max } = signal.options;
  if (min !== null && Number(value) < min)
    return { code: "device.refused", message: `The machine refuses ${value}: least is ${min}.` };
  if (max !== null && Number(value) > max)
    return { code: "device.refused", message: `The machine refuses ${value}: most is ${max}.` };
  return null;
}
