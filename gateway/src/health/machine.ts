import { readFile, statfs } from "node:fs/promises";
import { uptime } from "node:os";
import type { Clock } from "@millrace/contract/std/clock";

/** Figures of the machine and of this process, as the health report and the local page show them. */
export interface MachineHealth {
  /** Share of one core since the last look, all threads of this process. */
  cpuShare: number;
  memoryBytes: number;
  diskFreeBytes: number;
  diskBytes: number;
  machineUpMs: number;
  /** Null where the machine has no such sensor. */
  temperatureC: number | null;
}

const TEMPERATURE_FILE = "/sys/class/thermal/thermal_zone0/temp";

/** Takes figures when asked; the share of CPU is that of the time between two questions. */
export class Machine {
  readonly #clock: Clock;
  readonly #folder: string;
  #cpuUs: number;
  #monoMs: number;
  #last: MachineHealth;

  /** @param folder lies on the disk whose free space matters */
  constructor(clock: Clock, folder: string) {
    this.#clock = clock;
    this.#folder = folder;
    this.#cpuUs = cpuUs();
    this.#monoMs = clock.monoMs();
    this.#last = {
      cpuShare: 0,
      memoryBytes: process.memoryUsage.rss(),
      diskFreeBytes: 0,
      diskBytes: 0,
      machineUpMs: uptime() * 1_000,
      temperatureC: null,
    };
  }

  last(): MachineHealth {
    return this.#last;
  }

  async look(): Promise<MachineHealth> {
    const us = cpuUs();
    const monoMs = this.#clock.monoMs();
    const passedMs = monoMs - this.#monoMs;
    const cpuShare = passedMs > 0 ? (us - this.#cpuUs) / 1_000 / passedMs : this.#last.cpuShare;
    this.#cpuUs = us;
    this.#monoMs = monoMs;
    const disk = await statfs(this.#folder).catch(() => null);
    this.#last = {
      cpuShare: Math.max(0, cpuShare),
      memoryBytes: process.memoryUsage.rss(),
      diskFreeBytes: disk ? disk.bavail * disk.bsize : 0,
      diskBytes: disk ? disk.blocks * disk.bsize : 0,
      machineUpMs: uptime() * 1_000,
      temperatureC: await temperature(),
    };
    return this.#last;
  }
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

async function temperature(): Promise<number | null> {
  const text = await readFile(TEMPERATURE_FILE, "utf8").catch(() => "");
  const milli = Number.parseInt(text, 10);
  return Number.isFinite(milli) ? milli / 1_000 : null;
}
