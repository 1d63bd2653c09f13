import type { SimulatorSettings } from "@millrace/contract/driver/simulator/settings";
import { type Window, windowOf } from "@millrace/contract/driver/simulator/window";
import { chance, seedOf } from "./chance.ts";

/** Where in a window that comes again and again a moment lies. */
export interface Place {
  inside: boolean;
  /** Which window this one is, or the last one was. */
  index: number;
  /** When it began, ms UTC. */
  startMs: number;
}

/** @param seed so that several faults do not come at the same moment */
export function placeIn({ ms, everyMs }: Window, wallMs: number, seed: number): Place {
  const shiftMs = Math.floor(chance(seed, 0) * everyMs);
  const index = Math.floor((wallMs - shiftMs) / everyMs);
  const startMs = index * everyMs + shiftMs;
  return { inside: wallMs - startMs < ms, index, startMs };
}

export type FaultName = "unreachable" | "silent" | "slow" | "frozen" | "spikes";

/** The faults of one machine by the clock. Pure: it remembers nothing. */
export class Faults {
  readonly #settings: SimulatorSettings;
  readonly #windows: ReadonlyMap<FaultName, Window>;
  readonly #seed: number;

  constructor(settings: SimulatorSettings) {
    this.#settings = settings;
    this.#seed = seedOf(settings.machine, settings.seed);
    const names: FaultName[] = ["unreachable", "silent", "slow", "frozen", "spikes"];
    this.#windows = new Map(
      names.flatMap((name) => {
        const window = windowOf(settings[name] ?? "");
        return window === null ? [] : [[name, window] as const];
      }),
    );
  }

  has(name: FaultName): boolean {
    return this.#windows.has(name);
  }

  /** Null where the machine has no such fault. */
  place(name: FaultName, wallMs: number): Place | null {
    const window = this.#windows.get(name);
    return window === undefined ? null : placeIn(window, wallMs, seedOf(name, this.#seed));
  }

  is(name: FaultName, wallMs: number): boolean {
    return this.place(name, wallMs)?.inside ?? false;
  }

  /** How long an answer takes at this moment, ms; null when none ever comes. */
  answerMs(wallMs: number): number | null {
    if (this.is("silent", wallMs)) return null;
    const { answerMs, slowMs } = this.#settings;
    return this.is("slow", wallMs) ? Math.max(slowMs, answerMs) : answerMs;
  }
}
