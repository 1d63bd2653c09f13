import { readFileSync } from "node:fs";

/** Clock ticks a second of /proc/<pid>/stat: USER_HZ, 100 on every Linux in use. */
const TICKS_PER_SECOND = 100;

interface Reading {
  atMs: number;
  cpuSeconds: number;
}

function read(pid: number): Reading {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The second field is the program's name in brackets and may hold spaces.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return {
    atMs: performance.now(),
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
  };
}

/** Memory of a process in bytes: resident now, and the most it ever was. */
export function memoryOf(pid: number): { rssBytes: number; peakBytes: number } {
  const text = readFileSync(`/proc/${pid}/status`, "utf8");
  const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0);
  return { rssBytes: kib("VmRSS") * 1024, peakBytes: kib("VmHWM") * 1024 };
}

/** Process ids of a process's children, grandchildren and so on. */
function descendants(pid: number): number[] {
  let children: number[];
  try {
    children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
      .trim()
      .split(" ")
      .filter(Boolean)
      .map(Number);
  } catch {
    return [];
  }
  return children.flatMap((child) => [child, ...descendants(child)]);
}

/** Measures the CPU share of one process over a stretch, 1 being one core. */
export class CpuMeter {
  private readonly start: Reading;

  constructor(private readonly pid: number) {
    this.start = read(pid);
  }

  share(): number {
    const now = read(this.pid);
    return ((now.cpuSeconds - this.start.cpuSeconds) * 1_000) / (now.atMs - this.start.atMs);
  }

  cpuSeconds(): number {
    return read(this.pid).cpuSeconds - this.start.cpuSeconds;
  }
}

/** CPU share of a process with everything it started; what ended meanwhile is not counted. */
export class TreeMeter {
  private readonly meters = new Map<number, CpuMeter>();

  constructor(private readonly pid: number) {
    for (const each of [pid, ...descendants(pid)]) this.meters.set(each, new CpuMeter(each));
  }

  cpuSeconds(): number {
    let sum = 0;
    for (const each of [this.pid, ...descendants(this.pid)]) {
      try {
        sum += (this.meters.get(each) ?? new CpuMeter(each)).cpuSeconds();
      } catch {
        // It ended between the listing and the reading.
      }
    }
    return sum;
  }
}
