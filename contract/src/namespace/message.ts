import { type Static, Type } from "@sinclair/typebox";
import { type QualityCode, qualityName } from "../vocabulary/quality.ts";
import { JsonValue, type TagValue, valueToJson } from "../vocabulary/value.ts";

/** One message of the unified namespace, as JSON. A bad value is null, and the quality says why. */
export const NamespaceMessage = Type.Object({
  value: JsonValue,
  /** When the value was true, ISO 8601 in UTC. */
  timestamp: Type.String(),
  quality: Type.String({ examples: ["good", "bad.linkLost"] }),
  unit: Type.String({ examples: ["°C", ""] }),
});
export type NamespaceMessage = Static<typeof NamespaceMessage>;

export const messageOf = (
  value: TagValue,
  timeMs: number,
  quality: QualityCode,
  unit: string,
): NamespaceMessage => ({
  value: valueToJson(value),
  timestamp: new Date(timeMs).toISOString(),
  quality: qualityName(quality),
  unit,
});
