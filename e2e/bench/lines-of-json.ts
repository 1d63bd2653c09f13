import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { Subprocess } from "bun";
import { ROOT } from "../stack/child.ts";

/** A program that takes lines and answers with lines of JSON; what else it prints is passed over. */
export interface JsonProgram {
  process: Subprocess<"pipe", "pipe", "inherit">;
  tell(line: string): void;
  /** The next answer. @throws Error when the program has ended */
  next<T>(): Promise<T>;
  end(): Promise<void>;
}

/** @param file below the root of the repository */
export function startJsonProgram(file: string, argument: object): JsonProgram {
  const child = Bun.spawn([process.execPath, join(ROOT, file), JSON.stringify(argument)], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const lines = createInterface({ input: Readable.fromWeb(child.stdout as never) })[Symbol.asyncIterator]();
  return {
    process: child,
    tell(line) {
      child.stdin.write(`${line}\n`);
      child.stdin.flush();
    },
    async next<T>() {
      for (;;) {
        const { value, done } = await lines.next();
        if (done) throw new Error(`${file} ended`);
        if (value.startsWith("{")) return JSON.parse(value) as T;
      }
    },
    async end() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}
