import type { OpcuaAddress } from "@millrace/contract/driver/opcua/address";
import { QUALITY, qualityLevel } from "@millrace/contract/vocabulary/quality";
import type { Point, Reading } from "../../driver/driver.ts";
import { tagValueOf, type VariantLike } from "./codec.ts";
import { qualityOfStatus } from "./status.ts";

/** A value with its times and status as the library hands it over; only what we look at. */
export interface DataValueLike {
  value?: VariantLike | null | undefined;
  statusCode: { value: number; name: string };
  sourceTimestamp?: Date | null;
  serverTimestamp?: Date | null;
}

const ILLEGAL = QUALITY["bad.addressIllegal"];

/** What the server said of one point. The status stays beside the quality, which has fewer words. */
export function readingOf(point: Point<OpcuaAddress>, data: DataValueLike): Reading {
  const { value: code, name } = data.statusCode;
  const level = qualityLevel(qualityOfStatus(code));
  const reading: Reading = { id: point.id, value: null, quality: qualityOfStatus(code) };
  if (level !== "bad") {
    const variant = data.value ?? null;
    const value =
      variant === null ? null : tagValueOf(variant, point.dataType, point.address.element !== null);
    reading.value = value;
    // Good and empty is no value either: nobody knows what the tag holds.
    if (value === null) reading.quality = QUALITY["bad.valueInvalid"];
  }
  if (code !== 0) reading.status = name;
  const sourceMs = data.sourceTimestamp?.getTime();
  const serverMs = data.serverTimestamp?.getTime();
  // The zero of the protocol is the year 1601 and means "not known".
  if (sourceMs !== undefined && sourceMs > 0) reading.sourceTimeMs = sourceMs;
  if (serverMs !== undefined && serverMs > 0) reading.serverTimeMs = serverMs;
  return reading;
}

/** A point whose namespace the server does not have, or whose node it does not know. */
export const missingReading = (point: Point<OpcuaAddress>, status: string): Reading => ({
  id: point.id,
  value: null,
  quality: ILLEGAL,
  status,
});
