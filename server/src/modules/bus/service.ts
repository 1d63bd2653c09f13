import type { BusAnswer, BusQuery } from "@millrace/contract/api/bus";
import { AppError } from "@millrace/contract/error/app-error";
import { ERROR, type ErrorCode } from "@millrace/contract/error/code";
import type { FieldBus, FieldResult } from "@millrace/contract/wire/field";
import { LIMITS } from "@millrace/contract/wire/limits";

/** What the bus doctor needs of the gateways' sessions. */
export interface BusLink {
  /** Kinds of questions its session takes; null without one. */
  looksOf(gatewayId: string): readonly string[] | null;
  ask(gatewayId: string, body: FieldBus, signal: AbortSignal): Promise<FieldResult>;
}

export interface BusDeps {
  link: BusLink;
  /** @throws AppError `entity.missing` when there is no such gateway */
  require(gatewayId: string): Promise<void>;
}

/** Different questions that wait at once, over all gateways; each is a few hundred bytes and ends within seconds. */
const WAITING_MAX = 500;

/** Looks at the bus doctors of gateways. Whoever asks the same while somebody waits gets the same answer. */
export class BusLooks {
  readonly #deps: BusDeps;
  readonly #waiting = new Map<string, Promise<BusAnswer>>();

  constructor(deps: BusDeps) {
    this.#deps = deps;
  }

  /** @throws AppError `entity.missing` | `field.away` | `field.unsupported` | `field.timeout` | `request.tooMany` */
  look(gatewayId: string, { window = "quarter", deviceId }: BusQuery): Promise<BusAnswer> {
    const key = `${gatewayId} ${window} ${deviceId ?? ""}`;
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) return waiting;
    if (this.#waiting.size >= WAITING_MAX)
      throw new AppError("request.tooMany", `${WAITING_MAX} looks at bus doctors wait already.`);
    const body: FieldBus = { kind: "bus", window, ...(deviceId === undefined ? {} : { deviceId }) };
    const look = this.#inTurn(gatewayId, body).finally(() => this.#waiting.delete(key));
    this.#waiting.set(key, look);
    return look;
  }

  /** One question at a time for each gateway: different ones follow each other. */
  readonly #tails = new Map<string, Promise<unknown>>();

  async #inTurn(gatewayId: string, body: FieldBus): Promise<BusAnswer> {
    const before = this.#tails.get(gatewayId) ?? Promise.resolve();
    const turn = before.then(() => this.#ask(gatewayId, body));
    const tail = turn.catch(() => undefined);
    this.#tails.set(gatewayId, tail);
    try {
      return await turn;
    } finally {
      if (this.#tails.get(gatewayId) === tail) this.#tails.delete(gatewayId);
    }
  }

  async #ask(gatewayId: string, body: FieldBus): Promise<BusAnswer> {
    const { link, require } = this.#deps;
    const kinds = link.looksOf(gatewayId);
    if (kinds === null) {
      await require(gatewayId);
      throw new AppError(
        "field.away",
        "This gateway is not connected; its own page shows the bus doctor to whoever stands at the machine.",
      );
    }
    if (!kinds.includes(body.kind))
      throw new AppError(
        "field.unsupported",
        "This gateway has no bus doctor: its software is older than the hub's.",
      );
    // Several may wait for one answer, so it does not end when one of them goes away.
    const result = await link.ask(gatewayId, body, AbortSignal.timeout(LIMITS.fieldMs));
    if (result.kind === "bus") return result.report;
    if (result.kind === "refused") {
      const { code, message } = result;
      throw new AppError(Object.hasOwn(ERROR, code) ? (code as ErrorCode) : "field.unsupported", message);
    }
    throw new AppError("uplink.protocol", `The gateway answered "${result.kind}" to "bus".`);
  }
}
