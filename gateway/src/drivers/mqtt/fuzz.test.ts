import { heapStats } from "bun:jsc";
import { expect, test } from "bun:test";
import { createServer, type Socket } from "node:net";
import { decodeSettings } from "@millrace/contract/driver/settings";
import type { AppError } from "@millrace/contract/error/app-error";
import { systemClock } from "@millrace/contract/std/clock";
import { type Chance, chanceOf } from "../../../test/chance.ts";
import type { Reading } from "../../driver/driver.ts";
import { mqtt } from "./index.ts";

/**
 * A hostile broker. Short in the pipeline; all of it with MILLRACE_HOSTILE=10000: as many connections with a packet that
 * is wrong, and ten times as many payloads that are.
 */
const HOSTILE = Number(process.env.MILLRACE_HOSTILE ?? 300);
const PAYLOADS = HOSTILE * 10;
const SEED = 0x6d717474;
const TRUTH = 4_242.25;
const GROWTH_BYTES_MAX = 4_000_000;

const length = (bytes: number): number[] => {
  const digits: number[] = [];
  for (let rest = bytes; ; rest = Math.floor(rest / 128)) {
    digits.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
    if (rest < 128) return digits;
  }
};
const packet = (first: number, body: Uint8Array | number[]) =>
  Buffer.from([first, ...length(body.length), ...body]);
/** A PUBLISH of MQTT 5 without properties. */
const publish = (topic: string, payload: Uint8Array, first = 0x30) => {
  const name = Buffer.from(topic);
  return packet(first, [name.length >> 8, name.length & 255, ...name, 0, ...payload]);
};
const text = (value: string) => Buffer.from(value);
const noise = (chance: Chance, bytes: number) => Uint8Array.from({ length: bytes }, () => chance(256));

/** Each is wrong in its form, so nothing of it may become a value; or it is the truth in an awkward form. */
const PACKETS: ((chance: Chance) => Uint8Array)[] = [
  (chance) => noise(chance, 1 + chance(200)),
  () => Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0x7f]),
  () => Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f, 0, 1, 0x74]),
  (chance) => packet(chance(16), noise(chance, chance(20))),
  () => packet(0x20, [0, 0, 0]),
  () => publish("t", text("1"), 0x34),
  () => publish("t", text("1"), 0x36),
  () => packet(0x30, [0xff, 0xff, 0x74]),
  () => packet(0x30, [0, 1]),
  () => packet(0x30, [0, 1, 0x74, 0x05, 1, 2]),
  () => packet(0x30, [0, 2, 0xff, 0xfe, 0, 0x31]),
  () => packet(0x32, [0, 1, 0x74, 0, 0, 0, ...text("4242.25")]),
  (chance) => packet(0x90, [chance(256), chance(256), 0, ...noise(chance, chance(6))]),
  (chance) => packet(0xb0, [chance(256), chance(256), 0]),
  (chance) => packet(0x40, [chance(256), chance(256), chance(256), 0]),
  () => packet(0xe0, [0x8e, 0]),
  () => packet(0xf0, [0, 0]),
  () => packet(0x10, [0, 4, 0x4d, 0x51, 0x54, 0x54, 5, 2, 0, 0, 0, 0, 0]),
  () => publish("t", text("4242.25")).subarray(0, 6),
  () => publish("t", text("4242.25")),
];

const PAYLOAD: ((chance: Chance) => Uint8Array)[] = [
  (chance) => noise(chance, chance(100)).map((byte) => byte | 0x80),
  () => text(""),
  () => text("4242,25"),
  () => text("NaN5"),
  () => text("0x1092"),
  () => text("4242.25".repeat(2)),
  () => text(`${"9".repeat(5_000)}`),
  () => text(`{"v":${"[".repeat(5_000)}`),
  () => text('{"v":{"v":1}}'),
  () => text('{"__proto__":{"v":1}}'),
  () => text('{"v":"4242.25'),
  () => text('{"v":"\\u0000"}'),
  () => text('{"v":1e400}'),
  () => text('{"v":null}'),
  () => text('{"v":4242.25}'),
  () => text("4242.25"),
];

/** Says hello, agrees to every subscription, and then whatever `after` says. */
async function hostileBroker(after: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    socket.on("data", (bytes) => {
      if (bytes[0] === 0x10) socket.write(packet(0x20, [0, 0, 0]));
      if (bytes[0] === 0x82) {
        const [high = 0, low = 0] = bytes.subarray(2);
        const count = bytes.toString("latin1").split("t").length - 1;
        socket.write(packet(0x90, [high, low, 0, ...Array<number>(Math.max(1, count)).fill(0)]));
        after(socket);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as { port: number }).port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function makeSession(port: number, onLost: (error: AppError) => void) {
  const settings = decodeSettings(mqtt as never, {
    broker: `mqtt://127.0.0.1:${port}`,
    version: "5",
    resume: false,
    timeoutMs: 500,
  }) as never;
  const session = await mqtt.create(settings, { clock: systemClock, onLost });
  const wishes = ["t", "t json=$.v"].map((address, id) => ({
    id,
    dataType: "float64" as const,
    address: mqtt.parseAddress(address, "float64", settings) as never,
    scanMs: 1_000,
    deadband: 0,
  }));
  return { session, wishes };
}

const heap = () => {
  Bun.gc(true);
  return heapStats().heapSize;
};
const sound = ({ value }: Reading) => value === null || value === TRUTH;

test(`${HOSTILE} connections to a broker that sends packets no broker may send`, async () => {
  const chance = chanceOf(SEED);
  const told: Reading[] = [];
  const codes = new Set<string>();
  let began = 0;
  const broker = await hostileBroker((socket) => {
    for (let more = 1 + chance(3); more > 0; more--) socket.write(PACKETS[chance(PACKETS.length)]!(chance));
    systemClock.after(3, () => socket.destroy());
  });
  let onLost: () => void = () => {};
  const { session, wishes } = await makeSession(broker.port, (error) => {
    codes.add(error.code);
    onLost();
  });
  for (let at = 0; at < HOSTILE; at++) {
    if (at === Math.floor(HOSTILE / 5)) began = heap();
    const lost = new Promise<void>((resolve) => {
      onLost = resolve;
    });
    const end = new AbortController();
    try {
      await session.connect(AbortSignal.timeout(5_000));
      await session.subscribe!(wishes, (readings) => told.push(...readings), end.signal);
      await Promise.race([lost, systemClock.sleep(50)]);
    } catch (error) {
      codes.add((error as AppError).code);
    }
    end.abort();
    if (!told.every(sound)) break;
    told.splice(0, told.length - 1);
  }
  await session.close();
  expect(told.filter((one) => !sound(one))).toEqual([]);
  for (const code of codes) expect(code).toMatch(/^(link\.|device\.timeout)/);
  expect(codes.size).toBeGreaterThan(1);
  expect(heap() - began).toBeLessThan(GROWTH_BYTES_MAX);
  await broker.close();
}, 600_000);

test(`${PAYLOADS} payloads that are no value: none becomes one, and the link stays`, async () => {
  const chance = chanceOf(SEED + 1);
  const seen = { bad: 0, good: 0, wrong: 0 };
  let lost = 0;
  let began = 0;
  let sent = 0;
  const broker = await hostileBroker((socket) => {
    const more = () => {
      if (sent >= PAYLOADS) return;
      const part = Math.min(50, PAYLOADS - sent);
      for (let at = 0; at < part; at++) socket.write(publish("t", PAYLOAD[chance(PAYLOAD.length)]!(chance)));
      sent += part;
      systemClock.after(0, more);
    };
    more();
  });
  const { session, wishes } = await makeSession(broker.port, () => {
    lost++;
  });
  await session.connect(AbortSignal.timeout(5_000));
  const end = new AbortController();
  await session.subscribe!(
    wishes,
    (readings) => {
      for (const reading of readings) {
        if (!sound(reading)) seen.wrong++;
        else if (reading.value === null) seen.bad++;
        else seen.good++;
      }
      if (began === 0 && seen.bad + seen.good > (PAYLOADS * 2) / 5) began = heap();
    },
    end.signal,
  );
  while (seen.bad + seen.good + seen.wrong < PAYLOADS * 2 && lost === 0) await systemClock.sleep(5);
  expect(seen.wrong).toBe(0);
  expect(lost).toBe(0);
  expect(seen.good).toBeGreaterThan(0);
  expect(seen.bad).toBeGreaterThan(seen.good);
  expect(heap() - began).toBeLessThan(GROWTH_BYTES_MAX);
  end.abort();
  await session.close();
  await broker.close();
}, 600_000);
