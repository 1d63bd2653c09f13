import { encodePayload } from "../../driver/sparkplug-payload/encode.ts";
import { REBIRTH_METRIC, TYPE } from "../../driver/sparkplug-payload/payload.ts";

/** Sparkplug B payloads are `driver/sparkplug-payload/`, plain and JSON ones `driver/payload/`. */
export { metricValue } from "../../driver/sparkplug-payload/value.ts";

/** The command that asks an edge node for its birth (6.4.21). */
export const rebirthPayload = (timeMs: number): Uint8Array =>
  encodePayload({
    timeMs,
    seq: null,
    metrics: [{ name: REBIRTH_METRIC, timeMs, type: TYPE.boolean, value: true }],
  });
