import { AppError, asAppError } from "@millrace/contract/error/app-error";
import type { LocalState } from "@millrace/contract/vocabulary/gateway";
import type { FieldDesk } from "../field/desk.ts";
import type { Fleet } from "../supervisor/fleet.ts";
import type { Tell } from "./access/desk.ts";
import { ARMING, type HeldSwitch } from "./held-switch.ts";
import { nextStepOf } from "./ladder.ts";
import type { Lockout } from "./lockout.ts";
import type { WorkView } from "./view.ts";

/** Longest time a person in front of the cabinet waits for a test. */
export const TEST_MS_MAX = 10_000;
const TEXT_CHARS_MAX = 400;

export interface WorkInput {
  fleet: Pick<Fleet, "devices" | "restart" | "connections">;
  field: Pick<FieldDesk, "take">;
  commissioning: HeldSwitch;
  arming: HeldSwitch;
  lockout: Lockout;
  tell: Tell;
}

/** What came of an act, for the person who did it. */
export interface Done {
  ok: boolean;
  text: string;
}

const OFF = "Commissioning mode is off. Switch it on first.";

/** What a person who is signed in may do at the machine. */
export class WorkDesk {
  readonly #input: WorkInput;

  constructor(input: WorkInput) {
    this.#input = input;
  }

  view(): WorkView {
    const { commissioning, arming, lockout } = this.#input;
    return {
      armedLeftMs: arming.leftMs(),
      commissioningLeftMs: commissioning.leftMs(),
      commissioningBy: commissioning.armedBy(),
      lockout: lockout.state(),
    };
  }

  state(): Pick<LocalState, "commissioningUntilMs" | "lockedOut" | "writesArmedUntilMs"> {
    const { commissioning, arming, lockout } = this.#input;
    return {
      commissioningUntilMs: commissioning.armedUntilMs(),
      writesArmedUntilMs: arming.armedUntilMs(),
      lockedOut: lockout.on(),
    };
  }

  begin(name: string): Done {
    this.#input.commissioning.arm(name);
    return { ok: true, text: "Commissioning mode is on." };
  }

  end(name: string): Done {
    this.#input.commissioning.end(`${name} ended it`);
    return { ok: true, text: "Commissioning mode is off." };
  }

  arm(name: string): Done {
    if (this.#input.lockout.on())
      return { ok: false, text: "Writes from afar are locked out. Release them first." };
    this.#input.arming.arm(name);
    return { ok: true, text: `Writing from afar is armed for ${ARMING.ms / 60_000} min.` };
  }

  disarm(name: string): Done {
    this.#input.arming.end(`${name} disarmed it`);
    return { ok: true, text: "Writing from afar is no longer armed." };
  }

  async lockOut(name: string): Promise<Done> {
    this.#input.arming.end(`${name} locked out writes from afar`);
    try {
      await this.#input.lockout.set(name);
      return { ok: true, text: "Writes from afar are locked out." };
    } catch (thrown) {
      const { message } = asAppError(thrown);
      return { ok: false, text: `Locked out, but only until a restart: it could not be kept (${message}).` };
    }
  }

  async release(name: string): Promise<Done> {
    try {
      await this.#input.lockout.release(name);
      return { ok: true, text: "Writes from afar are allowed again, as far as the hub allows them." };
    } catch (thrown) {
      return { ok: false, text: `Not released: it could not be kept (${asAppError(thrown).message}).` };
    }
  }

  /** Asks the device one harmless question, over its own line when that is open. */
  async test(name: string, deviceId: string): Promise<Done> {
    const refused = this.#refusal();
    if (refused !== null) return refused;
    const { field, tell } = this.#input;
    const device = this.#device(deviceId);
    const body = { kind: "connection", driver: device.driver, settings: device.settings };
    const result = await field.take({ requestId: "local", limitMs: TEST_MS_MAX, body }, "machine");
    const done = testWords(device.name, result);
    tell(
      "local.deviceTested",
      `${name} tested the connection of ${device.name}: ${done.ok ? "it answers" : "no answer"}.`,
      { name, ok: done.ok },
      deviceId,
    );
    return done;
  }

  async restart(name: string, deviceId: string): Promise<Done> {
    const refused = this.#refusal();
    if (refused !== null) return refused;
    const device = this.#device(deviceId);
    await this.#input.fleet.restart(deviceId);
    this.#input.tell(
      "local.deviceRestarted",
      `${name} restarted the link of ${device.name}.`,
      { name },
      deviceId,
    );
    return { ok: true, text: `The link of ${device.name} was restarted.` };
  }

  /** Counters of the bus doctor begin anew: of one connection, or with "" of all. Nothing is done to a device. */
  countAnew(endpoint: string): Done {
    const chosen = this.#input.fleet.connections().filter(({ key }) => endpoint === "" || key === endpoint);
    for (const connection of chosen) connection.resetMeter();
    return chosen.length === 0
      ? { ok: false, text: "There is no such connection any more." }
      : { ok: true, text: "Counted anew from now on." };
  }

  #refusal(): Done | null {
    return this.#input.commissioning.leftMs() > 0 ? null : { ok: false, text: OFF };
  }

  /** @throws AppError `entity.missing` */
  #device(deviceId: string) {
    const found = this.#input.fleet.devices().find(({ device }) => device.deviceId === deviceId);
    if (found === undefined)
      throw new AppError("entity.missing", "This gateway has no such device any more.");
    return found.device;
  }
}

function testWords(name: string, result: Awaited<ReturnType<FieldDesk["take"]>>): Done {
  if (result?.kind === "connection" && result.ok) {
    const ms = result.roundTripMs === null ? "" : ` in ${result.roundTripMs.toFixed(1)} ms`;
    return { ok: true, text: `${name} answers${ms}.` };
  }
  const cause =
    result?.kind === "connection" ? result.cause : result?.kind === "refused" ? result : undefined;
  if (cause === undefined) return { ok: false, text: `${name}: the test was broken off.` };
  return { ok: false, text: `${name}: ${cause.message} ${nextStepOf(cause.code)}`.slice(0, TEXT_CHARS_MAX) };
}
