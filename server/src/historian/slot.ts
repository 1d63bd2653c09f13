import { HISTORIAN } from "./limits.ts";

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** Group of neighbouring tags that share blocks until their hour is closed. */
export const groupOf = (tagNo: number): number => Math.floor(tagNo / HISTORIAN.groupTags);

/** Hours and days since 1970-01-01T00:00Z; negative before. */
export const hourOf = (timeMs: number): number => Math.floor(timeMs / HOUR_MS);
export const dayOf = (timeMs: number): number => Math.floor(timeMs / DAY_MS);
export const dayOfHour = (hourNo: number): number => Math.floor(hourNo / 24);
