import { decodeSettings } from "@millrace/contract/driver/settings";
import { simulatorDeclaration } from "@millrace/contract/driver/simulator/declaration";
import { type Clock, systemClock } from "@millrace/contract/std/clock";
import type { DataType, TagValue } from "@millrace/contract/vocabulary/value";
import { Faults, type Place } from "./faults.ts";

/**
 * The plant's wall clock in the hands of a test. A simulated machine breaks by the clock, so setting it forth breaks it;
 * what a session could leave behind are timers, so these are counted as others count sockets.
 */
export class StagedClock implements Clock {
  #aheadMs: number;
  pending = 0;
  begun = 0;

  constructor(wallMs: number) {
    this.#aheadMs = wallMs - systemClock.nowMs();
  }

  nowMs(): number {
    return systemClock.nowMs() + this.#aheadMs;
  }

  monoMs(): number {
    return systemClock.monoMs();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(ms, signal);
  }

  after(ms: number, run: () => void): () => void {
    this.pending++;
    this.begun++;
    let isOver = false;
    const end = () => {
      if (!isOver) this.pending--;
      isOver = true;
    };
    const cancel = systemClock.after(ms, () => {
      end();
      run();
    });
    return () => {
      end();
      cancel();
    };
  }

  /** Forth to the next minute at which it is so. */
  forthUntil(isSo: (wallMs: number) => boolean): void {
    for (let minute = 0; minute < WEEK_MIN; minute++) {
      if (isSo(this.nowMs())) return;
      this.#aheadMs += 60_000;
    }
    throw new Error("no such minute within a week");
  }
}

const WEEK_MIN = 7 * 1_440;

const VALUES: readonly (readonly [DataType, TagValue])[] = [
  ["boolean", true],
  ["int8", -128],
  ["uint8", 255],
  ["int16", -32_767],
  ["uint16", 65_535],
  ["int32", -123_456],
  ["uint32", 4_294_967_295],
  ["int64", 9_223_372_036_854_775_807n],
  ["uint64", 18_446_744_073_709_551_615n],
  ["float32", -1.5],
  ["float64", Math.PI],
  ["text", "Mühle 7"],
];

const settings = {
  machine: "staged",
  unreachable: "2h/1d",
  silent: "20m/1h",
  timeoutMs: 4_000,
} as const;

/** The device for the conformance suite; see `driver/conformance.ts`. */
export async function conformanceDevice() {
  const clock = new StagedClock(Date.UTC(2026, 10, 26));
  const faults = new Faults(decodeSettings(simulatorDeclaration, settings));
  const lastBreak = (): Place => faults.place("unreachable", clock.nowMs())!;
  const isUp = (wallMs: number) => !faults.is("unreachable", wallMs);
  const isHeard = (wallMs: number) => isUp(wallMs) && !faults.is("silent", wallMs);
  clock.forthUntil((wallMs) => !isUp(wallMs));
  clock.forthUntil(isHeard);
  const of = (dataType: DataType, value: TagValue) => ({
    address: `constant value="${value}"`,
    dataType,
    value,
  });
  return {
    deps: { clock },
    settings,
    readable: [
      ...VALUES.map(([dataType, value]) => of(dataType, value)),
      { address: "states list=ONE:1s idle=ONE", dataType: "text" as const, value: "ONE" },
      { address: "sine min=7 max=7", dataType: "uint16" as const, value: 7 },
      { address: "setpoint name=oil start=52 max=90", dataType: "float64" as const, value: 52 },
      { address: "follow of=oil lag=1s", dataType: "float64" as const, value: 52 },
    ],
    illegal: { address: "follow of=nobody", dataType: "uint16" as const },
    writable: VALUES.map(([dataType, value]) => ({
      address: `setpoint name=the-${dataType}`,
      dataType,
      value,
    })),
    unwritable: [
      { address: "setpoint name=oil start=52 max=90", dataType: "float64" as const, value: 90.5 },
      { address: "setpoint name=count", dataType: "uint8" as const, value: 256 },
      { address: "sine max=80", dataType: "float64" as const, value: 1 },
    ],
    malformed: [
      "",
      "cosine",
      "sine max",
      "sine max=a",
      "sine max=1 max=2",
      "sine speed=1",
      "pulse",
      "states",
    ],
    wrong: [
      { settings: {}, setting: "machine" },
      { settings: { ...settings, load: "fourShifts" }, setting: "load" },
      { settings: { ...settings, silent: "often" }, setting: "silent" },
      { settings: { ...settings, silent: "10m/1m" }, setting: "silent" },
      { settings: { ...settings, timeoutMs: 0 }, setting: "timeoutMs" },
    ],
    socketsOpen: () => Math.min(1, clock.pending),
    connections: () => clock.begun,
    cut: () => {
      const { index } = lastBreak();
      clock.forthUntil(() => lastBreak().index > index);
      clock.forthUntil(isHeard);
    },
    silence: (on: boolean) => {
      const { index } = lastBreak();
      clock.forthUntil((wallMs) => isUp(wallMs) && faults.is("silent", wallMs) === on);
      if (lastBreak().index !== index) throw new Error("the stage is too short: the link broke on the way");
    },
    close: async () => clock.forthUntil((wallMs) => !isUp(wallMs)),
  };
}
