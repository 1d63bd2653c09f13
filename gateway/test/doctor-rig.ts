import { type Clock, systemClock } from "@millrace/contract/std/clock";
import type { BusConnection, BusFinding } from "@millrace/contract/wire/bus";
import { BusReport } from "@millrace/contract/wire/bus";
import type { ManifestDevice } from "@millrace/contract/wire/manifest";
import { Value } from "@sinclair/typebox/value";
import { busReport } from "../src/doctor/report.ts";
import { Fleet } from "../src/supervisor/fleet.ts";
import { FakeSink, fakeTag } from "./fake-plant.ts";

/** A clock that runs faster than the wall: what takes half a minute by it takes seconds in a test. */
export function fastClock(times: number): Clock {
  const startMs = systemClock.monoMs();
  const passed = () => (systemClock.monoMs() - startMs) * times;
  const wallMs = systemClock.nowMs();
  return {
    nowMs: () => wallMs + passed(),
    monoMs: () => startMs + passed(),
    after: (ms, run) => systemClock.after(ms / times, run),
    sleep: (ms, signal) => systemClock.sleep(ms / times, signal),
  };
}

let devices = 0;

/** A device with one tag for each address. */
export function patient(
  driver: string,
  settings: Record<string, unknown>,
  addresses: readonly string[],
  {
    scanMs = 100,
    dataType = "uint16" as const,
  }: { scanMs?: number; dataType?: "uint16" | "float64" | "text" } = {},
): ManifestDevice {
  const no = ++devices;
  const id = no.toString(16).padStart(12, "0");
  return {
    deviceId: `00000000-0000-7000-8000-${id}`,
    name: `Device ${no}`,
    path: `Plant/Device ${no}`,
    driver,
    settings,
    tags: addresses.map((address, at) =>
      fakeTag(no * 1_000 + at, { address, dataType, scanMs, heartbeatMs: 1_000 }),
    ),
  };
}

/** Devices as the gateway runs them, and what the bus doctor says of them. */
export async function doctorRig(manifest: ManifestDevice[], clock: Clock = systemClock) {
  const fleet = new Fleet({ clock, random: () => 0.5, sink: new FakeSink(clock) });
  await fleet.apply({ rev: 1, devices: manifest });
  const report = () => {
    const made = busReport({ clock, connections: fleet.connections(), window: "quarter" });
    const wrong = Value.Errors(BusReport, made).First();
    if (wrong !== undefined) throw new Error(`the report does not fit at ${wrong.path}: ${wrong.message}`);
    return made;
  };
  return {
    fleet,
    report,
    first: (): BusConnection => report().connections[0]!,
    /** Waits for a finding of this kind, which must be the most urgent one. */
    async finding(kind: string, msMax = 20_000): Promise<BusFinding> {
      const deadline = systemClock.monoMs() + msMax;
      for (;;) {
        const [found] = report().connections.flatMap(({ findings }) => findings);
        if (found?.kind === kind) return found;
        if (systemClock.monoMs() > deadline)
          throw new Error(`no ${kind}; ${JSON.stringify(report().connections, null, 1)}`);
        await systemClock.sleep(20);
      }
    },
    [Symbol.asyncDispose]: () => fleet.stop(),
  };
}
