import type { Reach } from "@millrace/contract/api/role";

const isAtOrBelow = (path: string, place: string): boolean => path === place || path.startsWith(`${place}/`);

/** Joins places into a reach: null is the whole plant; what lies below another place of the list goes away. */
export function reachOver(places: readonly (string | null)[]): Reach {
  if (places.includes(null)) return "whole";
  const paths = [...new Set(places as readonly string[])].sort();
  return paths.filter((path) => !paths.some((other) => other !== path && isAtOrBelow(path, other)));
}

/** True when a thing at this path lies in the reach. */
export const covers = (reach: Reach, path: string): boolean =>
  reach === "whole" || reach.some((place) => isAtOrBelow(path, place));

export const isNowhere = (reach: Reach): boolean => reach !== "whole" && reach.length === 0;
