import { drainMicrotasks } from "bun:jsc";
import type { Clock } from "@millrace/contract/std/clock";

interface Due {
  atMs: number;
  /** Order among events of the same moment. */
  no: number;
  run: () => void;
}

/** Start of every history; the true wall clock, which machines may know or not. */
const EPOCH_MS = Date.UTC(2026, 0, 5, 6, 0, 0);

/**
 * Virtual time: a heap of events, run one after the other. Between two events every promise that can go on has gone
 * on, so a history depends on its seed alone and a minute costs what happens in it.
 */
export class World {
  #nowMs = 0;
  #nextNo = 0;
  #events = 0;
  readonly #heap: Due[] = [];

  /** Virtual ms since the begin of the history. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** What a perfect clock on the wall would show. */
  get trueWallMs(): number {
    return EPOCH_MS + this.#nowMs;
  }

  /** Events run so far. */
  get events(): number {
    return this.#events;
  }

  /** Runs `run` in `inMs`; the returned function cancels it. */
  after(inMs: number, run: () => void): () => void {
    const due: Due = { atMs: this.#nowMs + Math.max(0, inMs), no: this.#nextNo++, run };
    push(this.#heap, due);
    return () => {
      due.run = () => undefined;
    };
  }

  /** Runs all events up to `untilMs`, or until `done` says so after one of them. */
  run(untilMs: number, done: () => boolean = () => false): void {
    for (;;) {
      const due = this.#heap[0];
      if (due === undefined || due.atMs > untilMs) break;
      pop(this.#heap);
      this.#nowMs = due.atMs;
      this.#events++;
      due.run();
      drainMicrotasks();
      if (done()) return;
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }
}

const isSooner = (a: Due, b: Due): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.no < b.no);

function push(heap: Due[], due: Due): void {
  let at = heap.length;
  heap.push(due);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!isSooner(due, heap[parent]!)) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = due;
}

function pop(heap: Due[]): void {
  const last = heap.pop()!;
  if (heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = at * 2 + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isSooner(heap[child + 1]!, heap[child]!)) child++;
    if (!isSooner(heap[child]!, last)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
}

/** The clock on a machine's wall; survives the programs on it. */
export class WallClock {
  /** What it shows minus the truth. */
  offsetMs = 0;
}

/**
 * The clock of one run of one program: its timers die with it. Monotonic time begins near zero at each boot, as it
 * does on a real machine.
 */
export class ProgramClock implements Clock {
  #alive = true;
  readonly #bootMs: number;

  constructor(
    private readonly world: World,
    private readonly wall: WallClock,
  ) {
    this.#bootMs = world.nowMs;
  }

  nowMs(): number {
    return Math.round(this.world.trueWallMs + this.wall.offsetMs);
  }

  monoMs(): number {
    return this.world.nowMs - this.#bootMs + 1_000;
  }

  after(ms: number, run: () => void): () => void {
    return this.world.after(ms, () => {
      if (this.#alive) run();
    });
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const cancel = this.after(ms, resolve);
      signal?.addEventListener("abort", () => {
        cancel();
        reject(signal.reason);
      });
    });
  }

  /** No timer of this program fires any more. */
  stop(): void {
    this.#alive = false;
  }
}
