import type { Latest } from "@millrace/contract/api/history";
import { qualityName } from "@millrace/contract/vocabulary/quality";
import { valueToJson } from "@millrace/contract/vocabulary/value";
import type { LiveValue } from "@millrace/contract/wire/live";
import type { LatestOfTag } from "./cache.ts";

/** Quality of a tag that never sent anything: there is no value, hence nothing good. */
const NEVER = "bad.unspecified";

export const mapLatest = ({ tagNo, newest, good }: LatestOfTag): Latest => ({
  tagNo,
  value: newest === null ? null : valueToJson(newest.value),
  quality: newest === null ? NEVER : qualityName(newest.quality),
  time: newest === null ? null : new Date(newest.timeMs).toISOString(),
  lastGood:
    good === null ? null : { value: valueToJson(good.value), time: new Date(good.timeMs).toISOString() },
});

export const mapLive = ({ tagNo, newest, good }: LatestOfTag): LiveValue => [
  tagNo,
  newest === null ? null : valueToJson(newest.value),
  newest === null ? NEVER : qualityName(newest.quality),
  newest === null ? null : newest.timeMs,
  good === null ? null : valueToJson(good.value),
  good === null ? null : good.timeMs,
];
