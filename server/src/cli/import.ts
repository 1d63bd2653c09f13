import { ConfigPlan } from "@millrace/contract/api/config";
import { bytesOf, Usage } from "./files.ts";
import type { Hub } from "./hub.ts";
import { planText } from "./words.ts";

const KINDS = ["tags", "devices"];

/** What the command line says of a file, as the API calls it. */
export interface FileOptions {
  kind?: string | undefined;
  profile?: string | undefined;
  delimiter?: string | undefined;
  decimal?: string | undefined;
}

function queryOf({ kind, ...options }: FileOptions): Record<string, string> {
  if (kind !== undefined && !KINDS.includes(kind)) throw new Usage(`--kind is ${KINDS.join(" or ")}`);
  const given = Object.entries({ kind, ...options }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Record<string, string>;
}

/** Sends a file of tags or devices as it is: the hub finds out what it holds. */
export async function importFile(
  hub: Hub,
  file: string | undefined,
  options: FileOptions,
  flags: Record<string, string>,
): Promise<string> {
  const query = { ...queryOf(options), ...flags };
  const plan = await hub.json(ConfigPlan, {
    method: "POST",
    path: "/config/import",
    query,
    headers: { "content-type": file?.endsWith(".json") ? "application/json" : "text/csv" },
    body: await bytesOf(file),
  });
  return planText(plan);
}

/** Tags or devices as CSV. */
export async function exportFile(hub: Hub, options: FileOptions): Promise<string> {
  const query = queryOf(options);
  if (query.kind === undefined) throw new Usage("--kind tags or --kind devices?");
  return (await hub.text({ method: "GET", path: "/config/export", query })).trimEnd();
}
