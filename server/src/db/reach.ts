import type { Reach } from "@millrace/contract/api/role";
import { type SQL, type SQLWrapper, sql } from "drizzle-orm";

/** True for a path in the reach, as a condition; none at all where everything is. */
export const inReachOf = (path: SQLWrapper, reach: Reach): SQL | undefined =>
  reach === "whole" ? undefined : sql`in_reach(${path}, ${reachText(reach)}::text::jsonb)`;

/** A reach as the parameter `::text::jsonb` of the database's function `in_reach`. */
export const reachText = (reach: Reach): string => JSON.stringify(reach);
