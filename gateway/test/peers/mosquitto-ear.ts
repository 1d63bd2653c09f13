import { systemClock } from "@millrace/contract/std/clock";
import type { Mosquitto } from "./mosquitto.ts";

/** A message as Mosquitto's own subscriber prints it. */
export interface Overheard {
  topic: string;
  qos: number;
  retained: boolean;
  payload: Uint8Array;
}

/** Kept at the broker: who hears it has subscribed. */
const READY = "ear/ready";

/** Debian's `mosquitto_sub` in a process of its own: hears what everybody at the broker hears. */
export class MosquittoEar implements AsyncDisposable {
  readonly heard: Overheard[] = [];
  #ready = false;
  readonly #process: Bun.Subprocess<"ignore", "pipe", "ignore">;

  private constructor(port: number, filter: string) {
    const at = ["-h", "127.0.0.1", "-p", String(port)];
    this.#process = Bun.spawn(
      ["mosquitto_sub", ...at, "-t", filter, "-t", READY, "-q", "1", "-F", "%t|%q|%r|%x"],
      { stdin: "ignore", stdout: "pipe", stderr: "ignore" },
    );
    void this.#read();
  }

  /** Hears from here on. */
  static async at(broker: Mosquitto, filter = "spBv1.0/#"): Promise<MosquittoEar> {
    await broker.publish(READY, "1", ["-r"]);
    const ear = new MosquittoEar(broker.port, filter);
    await ear.until(() => ear.#ready);
    return ear;
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const chunk of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const [topic = "", qos = "", retained = "", hex = ""] = line.split("|");
        if (topic === READY) this.#ready = true;
        else
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
