import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { deflateRawSync, zstdCompressSync } from "node:zlib";
import type { Compression } from "@millrace/contract/block/compression";
import { ROUTE } from "@millrace/contract/wire/route";
import { forge, mutate } from "../forge.ts";
import { isWhole, verdictText } from "../ledger/compare.ts";
import { type Rig, residentBytes, until } from "../rig.ts";
import type { FaultRow } from "../row.ts";
import { enrolSim, SimGateway, type SimIdentity, sampleFrame } from "../sim-gateway.ts";

const MIB = 1_048_576;
const GROWTH_BYTES_MAX = 20 * MIB;
const BOMB_BYTES = 200 * MIB;

/** A WebSocket by hand, for frames that no client would make. Resolves when the hub has ended it, with false if it did not. */
function rawFrames(port: number, frames: readonly Buffer[]): Promise<boolean> {
  return new Promise((resolve) => {
    const socket: Socket = connect(port, "127.0.0.1");
    const timer = setTimeout(() => done(false), 15_000);
    const done = (closed: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(closed);
    };
    socket.on("error", () => done(true));
    socket.on("close", () => done(true));
    socket.once("data", () => {
      for (const frame of frames) socket.write(frame);
    });
    socket.write(
      `GET ${ROUTE.uplink} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n`,
    );
  });
}

/** Head of a masked binary frame of a length it need not have. */
function frameHead(length: number, compressed: boolean): Buffer {
  const head = Buffer.alloc(14);
  head[0] = 0x82 | (compressed ? 0x40 : 0);
  head[1] = 0x80 | 127;
  head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

/** Sends a frame in a session of its own; true when the hub neither took it nor kept the session as if it had. */
async function refusedInSession(rig: Rig, identity: SimIdentity, frame: Uint8Array): Promise<boolean> {
  const gateway = new SimGateway(rig.stack.hubUrl, identity);
  await gateway.connect();
  const before = gateway.hwm;
  gateway.raw(frame);
  await until(
    15_000,
    "the hub answers",
    () => !gateway.open || gateway.nacks > 0 || gateway.hwm > before,
    20,
  );
  const refused = gateway.hwm === before;
  gateway.close();
  return refused;
}

/** What a block inflates to is 200 MiB of zeros. */
function zstdBomb(): Compression {
  const bytes = zstdCompressSync(Buffer.alloc(BOMB_BYTES));
  const never = () => {
    throw new Error("the forger only writes");
  };
  return { name: "zstd", compress: () => bytes, decompress: never };
}

/** F21 */
export const oversized: FaultRow = {
  row: "F21",
  injected:
    "a frame of 64 KiB + 1, a message of 2 MiB, a header that announces 1 GiB, deflate and zstd bombs of 200 MiB",
  criterion: "refused or closed, never taken; the hub grows by less than 20 MiB",
  lane: "work",
  async run(context) {
    const rig = await context.rig();
    const { siteId } = await rig.gateway();
    const identity = await enrolSim(rig.stack.api, `Oversized ${Date.now()}`, siteId);
    const port = rig.stack.ports.hub;
    const plain = sampleFrame(1, identity.epoch, 10, Date.now());
    const deflated = deflateRawSync(Buffer.alloc(BOMB_BYTES));
    const bombed = sampleFrame(1, identity.epoch, 20_000, Date.now(), zstdBomb());
    const before = await residentBytes(rig.stack.hub.pid);
    let most = before;
    const watch = setInterval(() => {
      void residentBytes(rig.stack.hub.pid).then((bytes) => {
        most = Math.max(most, bytes);
      });
    }, 20);
    const refusals = {
      "64 KiB + 1": await refusedInSession(rig, identity, forge(plain, { body: new Uint8Array(65_537) })),
      "2 MiB": await refusedInSession(rig, identity, new Uint8Array(2 * MIB)),
      "1 GiB": await rawFrames(port, [frameHead(2 ** 30, false), Buffer.alloc(1_024)]),
      deflate: await rawFrames(port, [frameHead(deflated.length, true), deflated]),
    };
    // With a checksum that holds, the content is the hub's to judge: taken into quarantine, never inflated.
    const bomb = new SimGateway(rig.stack.hubUrl, identity);
    await bomb.connect();
    bomb.raw(bombed);
    await until(10_000, "the bomb is answered", () => bomb.hwm === 1 || !bomb.open || bomb.nacks > 0);
    bomb.close();
    const kept: { code: string }[] = await rig.sql`
      SELECT q.code FROM ingest_quarantine q JOIN gateway g USING (gateway_no) WHERE g.id = ${identity.gatewayId}::uuid`;
    await Bun.sleep(200);
    clearInterval(watch);
    const names = Object.entries(refusals)
      .filter(([, refused]) => !refused)
      .map(([name]) => name);
    const grown = most - before;
    return {
      measured: `${names.length === 0 ? "all refused" : `taken: ${names.join(", ")}`}; zstd bomb of ${bombed.length} bytes in quarantine as ${kept[0]?.code}; hub grew by ${(grown / MIB).toFixed(1)} MiB`,
      ok: names.length === 0 && kept.length === 1 && grown < GROWTH_BYTES_MAX && rig.stack.hub.running,
    };
  },
};

const texts = (nowMs: number): Record<string, string> => ({
  hello: JSON.stringify({ type: "hello", body: { protocol: 1, epoch: 1, sessionNo: 1 }, signature: "AAAA" }),
  hb: JSON.stringify({ type: "hb", wallMs: nowMs }),
  manifestApplied: JSON.stringify({ type: "manifestApplied", rev: 1 }),
  manifestRefused: JSON.stringify({ type: "manifestRefused", rev: 1, code: "a", message: "b" }),
  status: JSON.stringify({ type: "status", status: { software: "x", devices: [], outbox: {} } }),
});

/** One fuzzed message in a session that is opened anew whenever the hub has closed it. */
async function fuzzOne(gateway: SimGateway, kind: string, random: () => number): Promise<void> {
  if (!gateway.open) await gateway.connect();
  if (kind === "frame") {
    const frame = sampleFrame(gateway.hwm + 1, gateway.identity.epoch, 20, Date.now());
    const body = mutate(frame.subarray(68), random);
    const { hwm, nacks } = gateway;
    // Half of them pass the checksum, so that the decoder behind it gets its share.
    gateway.raw(random() < 0.5 ? mutate(frame, random) : forge(frame, { body }));
    // Other content under a number that is still on its way would be the sign of a clone, and another test.
    const answered = () => !gateway.open || gateway.hwm > hwm || gateway.nacks > nacks;
    await until(2_000, "an answer", answered, 2).catch(() => gateway.close());
    return;
  }
  const bytes = mutate(Buffer.from(texts(Date.now())[kind]!), random);
  gateway.raw(random() < 0.1 ? bytes : new TextDecoder().decode(bytes));
}

/** Lines of the hub's log that tell of something nobody caught. */
const uncaught = (rig: Rig): number =>
  readFileSync(join(rig.folder, "log", "hub.log"), "utf8")
    .split("\n")
    .filter((line) => /unhandled|uncaught|"level":"FATAL"|internal\.bug/i.test(line)).length;

/** F22 */
export const fuzzed: FaultRow = {
  row: "F22",
  injected: "seeded mutations of frames and of each message type (short run 200 each, long run 10,000)",
  criterion:
    "hub alive, nothing uncaught in its log; the real gateway's session beside it unharmed; its values once",
  lane: "work",
  async run(context) {
    const rig = await context.rig();
    await rig.linkUp();
    const { siteId } = await rig.gateway();
    const gateways: SimGateway[] = [];
    for (let i = 0; i < 8; i++)
      gateways.push(
        new SimGateway(rig.stack.hubUrl, await enrolSim(rig.stack.api, `Fuzz ${i} ${Date.now()}`, siteId)),
      );
    const mark = rig.mark();
    const { opened } = rig.proxy;
    const before = uncaught(rig);
    const each = context.times(200, 10_000);
    const kinds = ["frame", ...Object.keys(texts(0))];
    let sent = 0;
    for (const kind of kinds) {
      for (let i = 0; i < each; i += gateways.length) {
        await Promise.all(gateways.map((gateway) => fuzzOne(gateway, kind, context.random)));
        sent += gateways.length;
        await Bun.sleep(4);
      }
    }
    for (const gateway of gateways) gateway.close();
    const verdict = await rig.verdict(mark);
    const sessions = rig.proxy.opened - opened;
    const found = uncaught(rig) - before;
    return {
      measured: `${sent} messages; hub ${rig.stack.hub.running ? "alive" : "dead"}, ${found} uncaught errors, ${sessions} new sessions of the real gateway; ${verdictText(verdict)}`,
      ok: isWhole(verdict) && rig.stack.hub.running && found === 0 && sessions === 0,
    };
  },
};
