import { LIVE_PATH } from "@millrace/contract/wire/live";
import { seededRandom } from "../../contract/test/random.ts";
import type { LoneHub } from "./hub.ts";
import { chance, pick } from "./mutate.ts";
import { mutatedText } from "./mutate-frame.ts";
import { addressNo, RawClient } from "./raw-client.ts";
import { failureIn, runSockets, type SessionEnd, type SocketResult } from "./socket-result.ts";

/** Texts in a second after which a live socket is ended; one less shows all of them to whoever reads them. */
const FRAMES_A_SOCKET = 45;
const AT_ONCE = 16;

async function session(hub: LoneHub, tagNos: readonly number[], seed: number): Promise<SessionEnd> {
  const random = seededRandom(seed);
  using client = new RawClient(hub.port, addressNo(seed));
  const failures: string[] = [];
  const status = await client.upgrade(LIVE_PATH, { Authorization: `Bearer ${hub.apiKey}` });
  if (status !== 101)
    return { frames: 1, end: `refused ${status}`, failures: status === 429 ? [] : [`upgrade: ${status}`] };
  let frames = 0;
  for (; frames < FRAMES_A_SOCKET && !client.closed; frames++) {
    const tags = chance(random, 0.5) ? tagNos : [pick(random, tagNos), 1 + Math.floor(random() * 2 ** 32)];
    const message = chance(random, 0.85) ? { type: "subscribe", id: frames + 1, tags } : { type: "hb" };
    client.send(mutatedText(message, random));
    // Now and then the hub gets the time to answer what it heard.
    if (chance(random, 0.2)) await client.change(20);
    failures.push(...client.texts().flatMap((text) => failureIn(text) ?? []));
  }
  await client.change(30);
  failures.push(...client.texts().flatMap((text) => failureIn(text) ?? []));
  return { frames, end: client.closed ? String(client.closeCode) : "open", failures };
}

/** Mutated frames at the socket of browsers. */
export const fuzzLive = (
  hub: LoneHub,
  tagNos: readonly number[],
  { count, seed }: { count: number; seed: number },
): Promise<SocketResult> =>
  runSockets(hub, {
    socket: "live",
    count,
    seed,
    atOnce: AT_ONCE,
    session: (each) => session(hub, tagNos, each),
  });
