import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { AppError } from "../error/app-error.ts";
import { canonicalJson } from "../std/canonical-json.ts";
import { EntityId } from "../vocabulary/id.ts";
import { LIMITS } from "./limits.ts";

/** What a gateway tells about itself, with the severity a person should give it. A newer gateway may know more. */
export const EVENT = {
  /** A boot began. Data: `bootNo`, `offSinceMs` (wall time of the last sealed frame before, or null). */
  "gateway.started": "info",
  /** The machine's clock was set by more than two seconds. Data: `byMs`, `kept` (true: sample times did not follow). */
  "clock.stepped": "warning",
  /**
   * The times of this boot are known now. Data: `bootNo`, `offsetMs` (add it to every time sealed in this boot with
   * clock quality `none`), `quality`.
   */
  "clock.anchored": "info",
  /** The buffer passed 70 % of its quota, or is below again. Data: `share`. */
  "buffer.filling": "warning",
  "buffer.relaxed": "info",
  /** Samples were thinned to one-minute figures. Data: `samples`, `kept`. */
  "buffer.thinned": "warning",
  /** Samples were dropped for want of room. Data: `samples`. */
  "buffer.overflowed": "error",
  /** The buffer file was damaged. Data: `framesSaved`, `framesLost`. */
  "buffer.damaged": "error",
  /** The disk refuses; samples are kept in memory only. */
  "buffer.refused": "error",
  "buffer.durable": "info",
  /** The hub named a new epoch because this gateway went back in time. Data: `epoch`, `framesKnown`, `framesRenewed`. */
  "epoch.renewed": "warning",
  /** A frame went to the gateway's quarantine. Data: `lane`, `seq`, `samples`. */
  "frame.quarantined": "error",
  /**
   * Outcome of a command. Data: `commandId`, `commandNo`, `outcome`; of a write also `tagNo`, `by`, `code` (empty when it
   * is done), `before` and `after` as read from the device, null where they could not be, and `armedBy`.
   */
  "command.done": "info",
  /**
   * A momentary value that outlived its press was taken back: `why` is `restart` (this gateway had ended while it was
   * held) or `link` (its machine was away). Data: `tagNo`, `commandId`, `why`, `heldMs` (at most; null when unknown).
   */
  "write.released": "warning",
  /** A momentary value may be held, and is not taken back. Data: `tagNo`, `commandId`, `heldMs`, where they are known. */
  "write.stuck": "error",
  /**
   * A Sparkplug host asked for a write. Data: `device`, `metric`, `outcome` (refused: this gateway did not even try), and
   * as far as it was tried `tagNo`, `code`, `before`, `after`, `armedBy`.
   */
  "sparkplug.commanded": "warning",
  /** A command whose signature is not the hub's, or that is meant for another gateway. Nothing was done. */
  "command.forged": "error",
  /** What this program runs with. Data: each setting by name; of a secret only whether it is set. */
  "gateway.settings": "info",
  /** Other log records are sent to the hub from now on. Data: `level`, `minutes` (null: back at the standard level). */
  "log.level": "info",
  /** Somebody at the gateway's own page. Data: `name` as the person wrote it, `address`. */
  "local.signedIn": "info",
  "local.signedOut": "info",
  "local.pinChanged": "info",
  /** Data: `reason` (wrongPin, locked, crossSite), `address`, `untold` (refusals before it that were only counted). */
  "local.refused": "warning",
  /** Too many wrong PINs. Data: `scope` (address, gateway), `address`, `minutes`. */
  "local.locked": "error",
  /** Done at the page to one device. Data: `name`, and of a test `ok`. */
  "local.deviceTested": "info",
  "local.deviceRestarted": "info",
  /** Commissioning mode at the gateway's page. Data: `name`, `minutes` or `why`. */
  "commissioning.began": "warning",
  "commissioning.ended": "info",
  /** Writing from afar was armed for a moment at the gateway's page. Data: `name`, `minutes` or `why`. */
  "writing.armed": "warning",
  "writing.disarmed": "info",
  /** The lockout of writes from afar at the gateway's page. Data: `name`. */
  "lockout.set": "warning",
  "lockout.released": "warning",
  /**
   * One record of the gateway's log (`vocabulary/log.ts`), with the severity of its level. The hub keeps these apart
   * from the other events, and shorter. Data: `level`, `logger`, and the record's own facts.
   */
  "log.record": "info",
} as const satisfies Record<string, "info" | "warning" | "error">;
export type EventCode = keyof typeof EVENT;

const Fact = Type.Union([Type.String({ maxLength: 500 }), Type.Number(), Type.Boolean(), Type.Null()]);

export const GatewayEvent = Type.Object({
  timeMs: Type.Number({ description: "Gateway's time, ms UTC" }),
  code: Type.String({ pattern: "^[a-z][A-Za-z]*\\.[a-z][A-Za-z]*$", maxLength: 64 }),
  severity: Type.Union([Type.Literal("info"), Type.Literal("warning"), Type.Literal("error")]),
  /** One sentence for a person, with live numbers. */
  message: Type.String({ maxLength: 500 }),
  deviceId: Type.Optional(EntityId),
  data: Type.Record(Type.String({ pattern: "^[a-z][A-Za-z]*$", maxLength: 32 }), Fact, { maxProperties: 32 }),
});
export type GatewayEvent = Static<typeof GatewayEvent>;

const EventsBody = Type.Object({ events: Type.Array(GatewayEvent, { minItems: 1, maxItems: 64 }) });

/** Body of a frame of kind `events`: canonical JSON, not compressed. */
export function encodeEvents(events: readonly GatewayEvent[]): Uint8Array {
  return new TextEncoder().encode(canonicalJson({ events }));
}

/** @throws AppError `frame.garbled` naming the field */
export function decodeEvents(body: Uint8Array): GatewayEvent[] {
  if (body.length > LIMITS.frameBodyBytesMax)
    throw new AppError(
      "frame.garbled",
      `Events have at most ${LIMITS.frameBodyBytesMax} bytes; found ${body.length}`,
    );
  let found: unknown;
  try {
    found = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (cause) {
    throw new AppError("frame.garbled", "The body of an events frame is no JSON", { cause });
  }
  const error = Value.Errors(EventsBody, found).First();
  if (error) throw new AppError("frame.garbled", `Events ${error.path || "/"}: ${error.message}`);
  return (found as Static<typeof EventsBody>).events;
}
