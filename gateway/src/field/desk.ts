import { getLogger } from "@logtape/logtape";
import { secretValuesOf } from "@millrace/contract/driver/secret-settings";
import { AppError, asAppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import {
  FIELD_BODY,
  FIELD_KINDS,
  type FieldBody,
  FieldBus,
  type FieldKind,
  type FieldRequest,
  type FieldResult,
} from "@millrace/contract/wire/field";
import { LIMITS } from "@millrace/contract/wire/limits";
import { Value } from "@sinclair/typebox/value";
import { busReport } from "../doctor/report.ts";
import { driverOf } from "../driver/registry.ts";
import type { Fleet } from "../supervisor/fleet.ts";
import { Linger } from "./linger.ts";
import { scanNetwork } from "./scan.ts";
import { type TrialDeps, tryField } from "./trial.ts";
import { fieldCause } from "./words.ts";

const log = getLogger(["gateway", "field"]);

export interface FieldDeskInput {
  clock: Clock;
  fleet: Pick<Fleet, "visit" | "connections">;
  /** Hears values of the settings of the present test that must stand in no log. */
  keepSecret?: (values: readonly string[]) => void;
  driverOf?: TrialDeps["driverOf"];
  /** The settings of a test with its secrets opened. */
  opened?: (body: FieldBody) => Record<string, unknown>;
}

type Question = Pick<FieldRequest, "requestId" | "limitMs"> & { body: unknown };

/** Who asked: the hub, or somebody at the machine's own page. */
type Asker = "hub" | "machine";

interface Running {
  requestId: string;
  asker: Asker;
  cancel: AbortController;
  /** What is being done, in words. */
  stage: string;
  ended: Promise<void>;
}

/**
 * Takes the hub's tests at devices: one at a time, each for a bounded time, none of them kept. A question this version
 * does not know gets a refusal as its answer.
 */
export class FieldDesk {
  /** What this gateway can be asked, for the hello. */
  readonly kinds: readonly string[] = FIELD_KINDS;
  readonly #input: FieldDeskInput;
  readonly #linger: Linger;
  #running: Running | null = null;

  constructor(input: FieldDeskInput) {
    this.#input = input;
    this.#linger = new Linger(input.clock);
  }

  /** Resolves with what came of it; null when nobody waits for it any more. Never rejects. */
  async take(question: Question, asker: Asker = "hub"): Promise<FieldResult | null> {
    try {
      if (kindOf(question.body) === "bus") return this.#look(question.body);
      const sealed = decodeBody(question.body);
      const body = { ...sealed, settings: this.#input.opened?.(sealed) ?? sealed.settings };
      if (this.#running !== null) throw new AppError("request.tooMany", BUSY);
      return await this.#run(question, body, asker);
    } catch (thrown) {
      const { code, message } = asAppError(thrown);
      if (code === "internal.bug") log.error("a test at a device failed: {error}", { error: thrown });
      return { kind: "refused", ...fieldCause(code, code === "internal.bug" ? OUR_BUG : message) };
    }
  }

  #look(found: unknown): FieldResult {
    const wrong = Value.Errors(FieldBus, found).First();
    if (wrong !== undefined) throw new AppError("request.invalid", `bus${wrong.path}: ${wrong.message}.`);
    const { window, deviceId } = found as FieldBus;
    const { clock, fleet } = this.#input;
    return { kind: "bus", report: busReport({ clock, connections: fleet.connections(), window, deviceId }) };
  }

  /** Nobody waits for this answer any more: what it does at the device ends. */
  cancel(requestId: string): void {
    if (this.#running?.requestId === requestId) this.#running.cancel.abort(new Cancelled());
  }

  /** The hub is gone, and with it whoever asked there. */
  abandon(): void {
    if (this.#running?.asker === "hub") this.#running.cancel.abort(new Cancelled());
  }

  /** Resolves when nothing of a test is open any more. */
  async stop(): Promise<void> {
    this.#running?.cancel.abort(new Cancelled());
    await this.#running?.ended;
    await this.#linger.release();
  }

  /** Before devices start: one must not share a line that ends a moment later because it was opened for a look. */
  release(): Promise<void> {
    return this.#linger.release();
  }

  async #run(question: Question, body: FieldBody, asker: Asker): Promise<FieldResult | null> {
    const { clock, fleet } = this.#input;
    const limitMs = Math.min(question.limitMs, LIMITS.fieldAnswerMs);
    const cancel = new AbortController();
    const { requestId } = question;
    const running: Running = { requestId, asker, cancel, stage: "", ended: Promise.resolve() };
    const cancelLimit = clock.after(limitMs, () => cancel.abort(new TookTooLong()));
    const deps: TrialDeps = {
      driverOf: this.#input.driverOf ?? driverOf,
      visit: (driver, settings) => fleet.visit(driver, settings),
      linger: this.#linger,
      onStage: (stage) => {
        if (!cancel.signal.aborted) running.stage = stage;
      },
    };
    // Kept until the next test: what a driver says of this one may reach the log late.
    this.#input.keepSecret?.(secretValuesOf(body.driver, body.settings));
    const work: Promise<FieldResult> =
      body.kind === "scan" ? scanNetwork(deps, body, cancel.signal) : tryField(deps, body, cancel.signal);
    // The place is free when the line is: the next test must not find the device still held by this one.
    running.ended = work
      .then(() => undefined)
      .catch(() => undefined)
      .finally(() => {
        this.#running = null;
      });
    this.#running = running;
    try {
      return await Promise.race([work, rejectionOf(cancel.signal)]);
    } catch (thrown) {
      if (thrown instanceof Cancelled) return null;
      if (thrown instanceof TookTooLong) {
        throw new AppError(
          "field.timeout",
          `The test took longer than ${limitMs} ms while ${running.stage}.`,
        );
      }
      throw thrown;
    } finally {
      cancelLimit();
    }
  }
}

const BUSY = "This gateway runs another test at the moment; it takes one at a time.";
const OUR_BUG = "The gateway failed in this test; its log says why.";

class Cancelled extends Error {}
class TookTooLong extends Error {}

function rejectionOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

const kindOf = (found: unknown): string =>
  String((found as { kind?: unknown } | null)?.kind ?? "").slice(0, 32);

/** @throws AppError `field.unsupported` for a kind of a newer hub, `request.invalid` naming the field that is wrong */
function decodeBody(found: unknown): FieldBody {
  const kind = kindOf(found);
  if (!Object.hasOwn(FIELD_BODY, kind)) {
    throw new AppError(
      "field.unsupported",
      `This gateway knows no test "${kind}"; it takes ${FIELD_KINDS.join(" and ")}.`,
    );
  }
  const schema = FIELD_BODY[kind as FieldKind];
  const wrong = Value.Errors(schema, found).First();
  if (wrong !== undefined) throw new AppError("request.invalid", `${kind}${wrong.path}: ${wrong.message}.`);
  const body = found as FieldBody;
  const points = body.kind === "read" ? body.parts.reduce((sum, part) => sum + part.length, 0) : 0;
  if (points <= LIMITS.fieldTagsMax) return body;
  throw new AppError(
    "request.tooLarge",
    `A test reads at most ${LIMITS.fieldTagsMax} points; found ${points}.`,
  );
}
