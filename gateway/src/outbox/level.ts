import { ROOM } from "./limits.ts";

/** How full the outbox is, in words. Each step up and the way back down are told once. */
export type Level = "normal" | "filling" | "thinning" | "full";

/** @param share of what history may use, 0 to above 1 */
export function nextLevel(level: Level, share: number): Level {
  if (share > ROOM.fullShare) return "full";
  if (share > ROOM.thinShare) return level === "full" ? "full" : "thinning";
  if (share > ROOM.fillingShare) return level === "normal" ? "filling" : level;
  return share < ROOM.relaxedShare ? "normal" : level;
}
