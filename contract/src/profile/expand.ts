import {
  type Interpolation,
  interpolationOf,
  type ProfileTag,
  type Range,
  RETENTION_STANDARD,
  type RetentionClassName,
  type Scale,
  TAG_DEFAULTS,
} from "../vocabulary/tag.ts";
import type { DataType } from "../vocabulary/value.ts";

/** What a profile says for all of its tags. */
export interface ProfileNumbers {
  scanMs?: number;
  heartbeatMs?: number;
}

/** A tag of one device with nothing inherited any more. */
export interface ExpandedTag {
  name: string;
  path: string;
  address: string;
  dataType: DataType;
  unit: string;
  description: string;
  scanMs: number;
  heartbeatMs: number;
  deadband: number;
  scale: Scale | null;
  range: Range | null;
  interpolation: Interpolation;
  retention: RetentionClassName;
}

/**
 * The tags a device gets from its profile: what a tag leaves out comes from the profile, else from `TAG_DEFAULTS`. A
 * heartbeat shorter than the scan could not be kept, so the scan interval is its floor.
 */
export function expandTags(
  profile: ProfileNumbers,
  tags: readonly ProfileTag[],
  devicePath: string,
): ExpandedTag[] {
  return tags.map((tag) => {
    const scanMs = tag.scanMs ?? profile.scanMs ?? TAG_DEFAULTS.scanMs;
    const heartbeatMs = tag.heartbeatMs ?? profile.heartbeatMs ?? TAG_DEFAULTS.heartbeatMs;
    return {
      name: tag.name,
      path: `${devicePath}/${tag.name}`,
      address: tag.address,
      dataType: tag.dataType,
      unit: tag.unit ?? "",
      description: tag.description ?? "",
      scanMs,
      heartbeatMs: Math.max(heartbeatMs, scanMs),
      deadband: tag.deadband ?? TAG_DEFAULTS.deadband,
      scale: tag.scale ?? null,
      range: tag.range ?? null,
      // A scaled whole number is a measured value, however few steps it has.
      interpolation:
        tag.interpolation ?? (tag.scale === undefined ? interpolationOf(tag.dataType) : "linear"),
      retention: tag.retention ?? RETENTION_STANDARD,
    };
  });
}

/** Names that occur more than once; a device cannot tell such tags apart. */
export function repeatedNames(tags: readonly { name: string }[]): string[] {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const { name } of tags) (seen.has(name) ? repeated : seen).add(name);
  return [...repeated];
}
