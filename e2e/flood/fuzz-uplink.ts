import { encodeBlock } from "@millrace/contract/block/encode";
import type { Random } from "@millrace/contract/std/clock";
import { encodeEvents } from "@millrace/contract/wire/event";
import { DATA_FRAME, sealFrame } from "@millrace/contract/wire/frame";
import { ROUTE } from "@millrace/contract/wire/route";
import { UPLINK } from "../../contract/test/example-messages.ts";
import { seededRandom } from "../../contract/test/random.ts";
import { zstd } from "../../contract/test/zstd.ts";
import { challengeOf, type Enrolled, enrolNew, helloBody, signedHello } from "./enrolled.ts";
import type { LoneHub } from "./hub.ts";
import { chance, pick, spoil, write } from "./mutate.ts";
import { mutateBytes, mutatedBinary, mutatedText } from "./mutate-frame.ts";
import { addressNo, RawClient, textFrame } from "./raw-client.ts";
import { failureIn, runSockets, type SessionEnd, type SocketResult } from "./socket-result.ts";

const FRAMES_A_SESSION = 40;
const AT_ONCE = 8;

/** A whole session of one kind. */
type Play = (client: RawClient, gateway: Enrolled, random: Random, failures: string[]) => Promise<number>;

type LaneName = "H" | "E";
/** Number of the next frame of each lane, as far as we believe. */
type Next = Record<LaneName, number>;

const event = { code: "gateway.started", severity: "info", message: "started", data: {} } as const;

const bodyOf = (lane: LaneName, tagNos: readonly number[], timeMs: number, random: Random): Uint8Array =>
  lane === "E"
    ? encodeEvents([{ ...event, timeMs }])
    : encodeBlock(
        tagNos.map((tagNo) => ({
          tagNo,
          kind: "double",
          timesMs: Float64Array.of(timeMs),
          values: Float64Array.of(random() * 1e6),
          quality: new Uint8Array(1),
          nulls: null,
          receivedMs: null,
        })),
        zstd,
      );

/** A frame whose body may be wrong inside while its checksum holds. Takes its number from `next`. */
function sealed(gateway: Enrolled, next: Next, random: Random): Uint8Array {
  const lane = pick(random, ["H", "H", "H", "E"] as const);
  const tagNos = chance(random, 0.7) ? gateway.tagNos : [1 + Math.floor(random() * 0xffff_ffff)];
  const first = next[lane]++;
  const body = bodyOf(lane, tagNos, Date.now() - 60_000 + first * 100, random);
  const kind = lane === "E" ? ({ kind: "events", blockVersion: 0 } as const) : DATA_FRAME;
  return sealFrame(
    {
      ...kind,
      lane,
      seg: chance(random, 0.95) ? 1 : pick(random, [2, 0xffff_ffff]),
      epoch: chance(random, 0.95) ? gateway.epoch : pick(random, [1, 2, 0xffff_ffff]),
      first,
      last: lane === "E" && chance(random, 0.2) ? first + Math.floor(random() * 1_000) : first,
      sampleCount: chance(random, 0.9) ? tagNos.length : Math.floor(random() * 100),
      bootNo: 1,
      monoMs: pick(random, [1, 1, 1, 0, 1e12]),
      wallMs: pick(random, [Date.now(), Date.now(), 0, 8.64e15]),
      clockQuality: pick(random, ["ntp", "ntp", "none"]),
      compression: lane === "E" ? "none" : "zstd",
    },
    chance(random, 0.5) ? mutateBytes(body, random).subarray(0, 60_000) : body,
  );
}

const MESSAGES = Object.values(UPLINK).filter(({ type }) => type !== "hello");

/** Nothing of what a stranger says before a hello that holds may do anything. */
const stranger: Play = async (client, gateway, random) => {
  const challenge = await challengeOf(client);
  if (challenge === null) return 1;
  const known = { ...gateway, sessionNo: 0 };
  let frames = 0;
  while (frames < 3 && !client.closed) {
    const hello = signedHello(known, helloBody(known, challenge));
    const odd = chance(random, 0.7);
    client.send(
      odd ? mutatedText(hello, random) : mutatedBinary(sealed(known, { H: 1, E: 1 }, random), random),
    );
    frames++;
  }
  await client.change(50);
  return frames;
};

/** A gateway whose key we hold says odd things of itself under a signature that holds. */
const signedOdd: Play = async (client, gateway, random) => {
  const challenge = await challengeOf(client);
  if (challenge === null) return 1;
  let hello: object;
  try {
    const body = JSON.parse(write(spoil(helloBody(gateway, challenge), random))) as object;
    hello = signedHello(gateway, body);
  } catch {
    hello = signedHello(gateway, helloBody(gateway, { ...challenge, nonce: "x" }));
  }
  client.send(textFrame(JSON.stringify(hello)));
  await client.textWith('"type"', 2_000);
  return 1;
};

/** After a welcome: messages and frames with something wrong, until the hub has enough. */
const signedIn: Play = async (client, gateway, random, failures) => {
  const challenge = await challengeOf(client);
  if (challenge === null) return 1;
  client.send(textFrame(JSON.stringify(signedHello(gateway, helloBody(gateway, challenge)))));
  const answer = await client.textWith('"type"', 5_000);
  const said = JSON.parse(answer ?? "{}") as {
    type?: string;
    epoch?: number;
    streams?: { lane: LaneName; hwm: number }[];
  };
  if (said.type === "renewEpoch") gateway.epoch = said.epoch ?? gateway.epoch;
  if (said.type !== "welcome") {
    if (said.type !== "renewEpoch") gateway.sessionNo = -1;
    return 1;
  }
  const next: Next = { H: 1, E: 1 };
  for (const { lane, hwm } of said.streams ?? []) next[lane] = hwm + 1;
  let frames = 0;
  for (; frames < FRAMES_A_SESSION && !client.closed; frames++) {
    // Put together by hand: what a gateway would never join must be refused too.
    const binary = () => {
      const many = Array.from({ length: 1 + Math.floor(random() * 3) }, () => sealed(gateway, next, random));
      return mutatedBinary(Buffer.concat(many), random);
    };
    client.send(chance(random, 0.6) ? binary() : mutatedText(pick(random, MESSAGES), random));
    if (chance(random, 0.3)) await client.change(20);
    for (const text of client.texts()) {
      failures.push(...(failureIn(text) === null ? [] : [text]));
      const expected = /"lane":"([HE])".*"expected":(\d+)/.exec(text);
      if (expected !== null) next[expected[1] as LaneName] = Number(expected[2]);
    }
  }
  await client.change(50);
  return frames;
};

/** Mutated frames at the socket of gateways. */
export async function fuzzUplink(
  hub: LoneHub,
  plant: { siteId: string; profileId: string },
  { count, seed }: { count: number; seed: number },
): Promise<SocketResult> {
  let made = 0;
  const fresh = () => enrolNew(hub, `Attacker ${++made}`, plant);
  const gateways: Enrolled[] = await Promise.all(Array.from({ length: AT_ONCE }, fresh));
  const session = async (sessionSeed: number, slot: number): Promise<SessionEnd> => {
    const random = seededRandom(sessionSeed);
    const play = random() < 0.3 ? stranger : random() < 0.4 ? signedOdd : signedIn;
    // A hello that says odd things may spend a gateway for good; so may one that the hub turned away.
    if (gateways[slot]!.sessionNo < 0) gateways[slot] = await fresh();
    const gateway = gateways[slot]!;
    using client = new RawClient(hub.port, addressNo(sessionSeed));
    const failures: string[] = [];
    const status = await client.upgrade(ROUTE.uplink);
    if (status !== 101)
      return { frames: 1, end: `refused ${status}`, failures: status === 429 ? [] : [`upgrade: ${status}`] };
    const frames = await play(client, gateway, random, failures);
    if (play === signedOdd && chance(random, 0.1)) gateway.sessionNo = -1;
    failures.push(...client.texts().flatMap((text) => failureIn(text) ?? []));
    return { frames, end: client.closed ? String(client.closeCode) : "open", failures };
  };
  return await runSockets(hub, { socket: "uplink", count, seed, atOnce: AT_ONCE, session });
}
