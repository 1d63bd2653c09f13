import { AppError } from "@millrace/contract/error/app-error";
import { systemClock } from "@millrace/contract/std/clock";
import type { Arrivals, Ear } from "../../driver/arrivals.ts";

/** How long after it is let in a simulated device sends. */
const SENDS_AFTER_MS = 20;

/** A gateway's intake with one device behind it, without a network. */
export class IntakeSimulator implements Arrivals {
  readonly #messages: Record<string, string>;
  readonly ears = new Set<Ear>();
  joins = 0;
  #silent = false;
  #open = true;

  constructor(messages: Record<string, string>) {
    this.#messages = messages;
  }

  join(ear: Ear): () => void {
    if (!this.#open) throw new AppError("link.refused", "nothing is taken here");
    this.joins++;
    this.ears.add(ear);
    systemClock.after(SENDS_AFTER_MS, () => this.#send(ear));
    return () => this.ears.delete(ear);
  }

  #send(ear: Ear): void {
    if (this.#silent || !this.ears.has(ear)) return;
    for (const [topic, payload] of Object.entries(this.#messages))
      ear.hear({ topic, payload: Buffer.from(payload) });
  }

  silence(on: boolean): void {
    this.#silent = on;
    if (!on) for (const ear of this.ears) this.#send(ear);
  }

  cut(): void {
    for (const ear of [...this.ears]) {
      this.ears.delete(ear);
      ear.gone(new AppError("link.lost", "the intake was closed"));
    }
  }

  close(): void {
    this.cut();
    this.#open = false;
  }
}

/** The device for the conformance suite; see `driver/conformance.ts`. */
export async function conformanceDevice() {
  const intake = new IntakeSimulator({
    temperature: "21.5",
    count: "18446744073709551615",
    state: '{"on":true,"list":[-7,8],"name":"Mühle"}',
  });
  const settings = { login: "press-3", token: "t".repeat(43) };
  return {
    deps: { arrivals: intake },
    settings,
    readable: [
      { address: "temperature", dataType: "float64" as const, value: 21.5 },
      { address: "count", dataType: "uint64" as const, value: 2n ** 64n - 1n },
      { address: "state json=$.on", dataType: "boolean" as const, value: true },
      { address: "state json=$.list[0]", dataType: "int16" as const, value: -7 },
      { address: "state json=$.name", dataType: "text" as const, value: "Mühle" },
    ],
    illegal: { address: "cmd/start", dataType: "uint16" as const },
    malformed: ["", "a+", "a/#/b", "/a", "$SYS/a", "a json=", "a json=$..b", "a time=$.t"],
    wrong: [
      { settings: {}, setting: "login" },
      { settings: { ...settings, login: "Press 3" }, setting: "login" },
      { settings: { ...settings, login: "a/b" }, setting: "login" },
      { settings: { ...settings, token: "short" }, setting: "token" },
      { settings: { ...settings, staleMs: -1 }, setting: "staleMs" },
    ],
    socketsOpen: () => intake.ears.size,
    connections: () => intake.joins,
    cut: () => intake.cut(),
    silence: (on: boolean) => intake.silence(on),
    close: async () => intake.close(),
  };
}
