import { createHash, randomBytes } from "node:crypto";
import { type Keep, keepInMemory } from "../keep.ts";

const FILE = "mqtt-client";
const forTests = keepInMemory();

/**
 * The client id of one connection: the same after a restart, so that the broker knows our session, and never that of
 * another gateway. 22 characters: brokers of 3.1.1 need not take more than 23.
 */
export async function clientIdOf(keep: Keep | undefined, connectionKey: string): Promise<string> {
  const place = keep ?? forTests;
  const known = (await place.read(FILE))?.trim() ?? "";
  const own = /^[0-9a-f]{12}$/.test(known) ? known : randomBytes(6).toString("hex");
  if (own !== known) await place.write(FILE, own);
  return `mr${own}${createHash("sha256").update(connectionKey).digest("hex").slice(0, 8)}`;
}
