import type { Latest } from "@millrace/contract/api/history";
import type { Reach } from "@millrace/contract/api/role";
import { AppError } from "@millrace/contract/error/app-error";
import { LIMITS } from "@millrace/contract/wire/limits";
import type { Db } from "../../db/client.ts";
import { unknownTags } from "../tags/service.ts";
import type { LatestCache } from "./cache.ts";
import { mapLatest } from "./map.ts";
import { findTagNos } from "./store.ts";

export interface LatestQuery {
  tags?: string;
  deviceId?: string;
  gatewayId?: string;
}

/**
 * Latest values of the named tags, or of all tags of a device or a gateway.
 * @throws AppError `request.invalid` when nothing or too much is asked for
 */
export async function latestValues(
  deps: { db: Db; cache: LatestCache },
  query: LatestQuery,
  reach: Reach,
): Promise<{ items: Latest[] }> {
  if (query.tags === undefined && query.deviceId === undefined && query.gatewayId === undefined) {
    throw new AppError("request.invalid", "Name what is wanted: tags=1,2,3, deviceId=… or gatewayId=….");
  }
  const tagNos =
    query.tags === undefined ? await findTagNos(deps.db, query) : query.tags.split(",").map(Number);
  if (tagNos.length > LIMITS.liveTagsMax && query.tags !== undefined) {
    throw new AppError(
      "request.invalid",
      `tags: found ${tagNos.length}, at most ${LIMITS.liveTagsMax} at once.`,
    );
  }
  const foreign = reach === "whole" ? new Set() : new Set(await unknownTags(deps.db, tagNos, reach));
  return {
    items: tagNos.flatMap((tagNo) => {
      const latest = foreign.has(tagNo) ? null : deps.cache.read(tagNo);
      return latest === null ? [] : [mapLatest(latest)];
    }),
  };
}
