import type { Answer } from "../people.ts";

/** Sets an answer's cookies; nothing that says who somebody is may be kept by a cache. */
export function give<T>(set: { headers: Record<string, unknown> }, { body, cookies }: Answer<T>): T {
  set.headers["set-cookie"] = [...cookies];
  set.headers["cache-control"] = "no-store";
  return body;
}
