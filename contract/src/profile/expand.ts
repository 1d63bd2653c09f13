import type { ParameterValues, ProfileParameters } from "../vocabulary/parameter.ts";
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
import type { WriteRules } from "../vocabulary/write.ts";
import { effectiveValues, fillTag, hasParameters } from "./parameter.ts";

/** What a profile says for all of its tags. */
export interface ProfileFacts {
  scanMs?: number;
  heartbeatMs?: number;
  parameters?: ProfileParameters;
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
  /** Null: nothing may be written to it. */
  write: WriteRules | null;
}

/**
 * The tags a device gets from its profile: what a tag leaves out comes from the profile, else from `TAG_DEFAULTS`. A
 * heartbeat shorter than the scan could not be kept, so the scan interval is its floor. Where the profile declares
 * parameters, those of the device fill addresses, units and descriptions; they were checked before.
 */
export function expandTags(
  profile: ProfileFacts,
  tags: readonly ProfileTag[],
  devicePath: string,
  parameters: ParameterValues = {},
): ExpandedTag[] {
  const values = hasParameters(profile.parameters) ? effectiveValues(profile.parameters, parameters) : null;
  return tags.map((written) => {
    const tag = values === null ? written : fillTag(written, values);
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
      write: tag.write ?? null,
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
