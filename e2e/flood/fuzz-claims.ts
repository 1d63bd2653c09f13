import { ROUTE } from "@millrace/contract/wire/route";
import { seededRandom } from "../../contract/test/random.ts";
import { claimOf, enrolmentOf, enrolNew } from "./enrolled.ts";
import type { LoneHub } from "./hub.ts";
import { chance } from "./mutate.ts";
import { mutateText } from "./mutate-frame.ts";
import { addressNo, RawClient } from "./raw-client.ts";
import { runSockets, type SessionEnd, type SocketResult } from "./socket-result.ts";

const AT_ONCE = 16;
/** Every so-manyth shows a token that would be taken. */
const TRUE_TOKEN_SHARE = 0.1;

/** Mutated claims, each on a connection and from an address of its own. */
export async function fuzzClaims(
  hub: LoneHub,
  plant: { siteId: string; profileId: string },
  { count, seed }: { count: number; seed: number },
): Promise<SocketResult> {
  const { id } = await enrolNew(hub, "Claimed", plant);
  const session = async (sessionSeed: number): Promise<SessionEnd> => {
    const random = seededRandom(sessionSeed);
    const token = chance(random, TRUE_TOKEN_SHARE)
      ? await claimOf(hub, id)
      : `guess-${sessionSeed}`.repeat(3);
    const body = mutateText(enrolmentOf(token).request, random);
    using client = new RawClient(hub.port, addressNo(sessionSeed));
    const head = `POST ${ROUTE.enrolments} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n`;
    client.write(`${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`);
    client.write(body);
    const status = await client.request("");
    const failures =
      status === 0 || status >= 500 ? [`${status} for ${Buffer.from(body).toString("utf8")}`] : [];
    return { frames: 1, end: String(status), failures };
  };
  return await runSockets(hub, { socket: "claims", count, seed, atOnce: AT_ONCE, session });
}
