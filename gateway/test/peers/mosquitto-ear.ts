import { systemClock } from "@millrace/contract/std/clock";

/** A message as Mosquitto's own subscriber prints it. */
export interface Overheard {
  topic: string;
  qos: number;
  retained: boolean;
  payload: Uint8Array;
}

/** Debian's `mosquitto_sub` in a process of its own: hears what everybody at the broker hears. */
export class MosquittoEar implements AsyncDisposable {
  readonly heard: Overheard[] = [];
  readonly #process: Bun.Subprocess<"ignore", "pipe", "ignore">;

  private constructor(port: number, filter: string) {
    this.#process = Bun.spawn(
      ["mosquitto_sub", "-h", "127.0.0.1", "-p", String(port), "-t", filter, "-q", "1", "-F", "%t|%q|%r|%x"],
      { stdin: "ignore", stdout: "pipe", stderr: "ignore" },
    );
    void this.#read();
  }

  static at(port: number, filter = "spBv1.0/#"): MosquittoEar {
    return new MosquittoEar(port, filter);
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const chunk of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const [topic = "", qos = "", retained = "", hex = ""] = line.split("|");
        this.heard.push({
          topic,
          qos: Number(qos),
          retained: retained === "1",
          payload: Buffer.from(hex, "hex"),
        });
      }
    }
  }

  async until(wanted: (heard: readonly Overheard[]) => boolean, msMax = 20_000): Promise<void> {
    const endMs = systemClock.monoMs() + msMax;
    while (!wanted(this.heard)) {
      if (systemClock.monoMs() > endMs) throw new Error(`not heard; the last: ${this.heard.at(-1)?.topic}`);
      await systemClock.sleep(10);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
  }
}
