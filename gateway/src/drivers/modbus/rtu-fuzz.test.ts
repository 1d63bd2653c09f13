import { test } from "bun:test";
import { createServer, type Server, type Socket } from "node:net";
import { systemClock } from "@millrace/contract/std/clock";
import { type Chance, chanceOf } from "../../../test/chance.ts";
import { noise, readAll, truth } from "../../../test/hostile-modbus.ts";
import { HELD, hostileRun, readWell } from "../../../test/hostile-run.ts";
import type { AnyDriver } from "../../driver/registry.ts";
import { modbus } from "./index.ts";
import { withCrc } from "./question.ts";
import { ModbusSimulator } from "./simulator.ts";

const SEED = 0x72747500;
/** The long run is asked for by hand: `MILLRACE_HOSTILE_REPLIES=200000 bun test` on this file. */
const REPLIES = Number(process.env.MILLRACE_HOSTILE_REPLIES ?? 10_000);
const LINES = 40;

function goodAnswer(request: Buffer): Buffer {
  const offset = request.readUInt16BE(2);
  const count = request.readUInt16BE(4);
  const body = Buffer.alloc(3 + count * 2);
  body[0] = request[0]!;
  body[1] = request[1]!;
  body[2] = count * 2;
  for (let index = 0; index < count; index++) body.writeUInt16BE(truth(offset + index), 3 + index * 2);
  return withCrc(body);
}

interface Line {
  socket: Socket;
  chance: Chance;
  /** Answers that were kept back, in the order of their questions. */
  kept: Buffer[];
}

/**
 * One way to answer badly. A unit on a line does one thing after the other, so answers keep their order; what is late
 * comes before whatever is answered after it. (An answer that is given twice at different times is the truth of an older
 * moment, and nothing on such a line could tell.)
 */
type Malice = (answer: Buffer, line: Line) => void | Promise<void>;

const write = ({ socket }: Line, bytes: Uint8Array) => void (socket.writable && socket.write(bytes));

/** The body changed, the checksum right again. */
const lie =
  (change: (body: Buffer, chance: Chance) => Buffer): Malice =>
  (answer, line) =>
    write(line, withCrc(change(Buffer.from(answer.subarray(0, -2)), line.chance)));

const turned = (at: number) => (body: Buffer, chance: Chance) => {
  body[at] = body[at]! ^ (1 + chance(255));
  return body;
};

const MALICE: Record<string, Malice> = {
  wrongUnit: lie(turned(0)),
  wrongFunction: lie(turned(1)),
  wrongByteCount: lie(turned(2)),
  tooShort: lie((body, chance) => body.subarray(0, body.length - 1 - chance(Math.min(body.length - 1, 8)))),
  tooLong: lie((body, chance) => Buffer.concat([body, noise(chance, 1 + chance(8))])),
  exception: lie((body, chance) => Buffer.from([body[0]!, body[1]! | 0x80, chance(256)])),
  wrongChecksum: (answer, line) => {
    const bytes = Buffer.from(answer);
    bytes[line.chance(bytes.length)]! ^= 1 + line.chance(255);
    write(line, bytes);
  },
  silent: () => {},
  incomplete: (answer, line) => write(line, answer.subarray(0, line.chance(answer.length))),
  cutShort: (answer, line) => void line.socket.end(answer.subarray(0, line.chance(answer.length))),
  noiseBefore: (answer, line) =>
    write(line, Buffer.concat([noise(line.chance, 1 + line.chance(20)), answer])),
  noiseBehind: (answer, line) =>
    write(line, Buffer.concat([answer, noise(line.chance, 1 + line.chance(20))])),
  randomBytes: (_, line) => write(line, noise(line.chance, 1 + line.chance(400))),
  babble: (_, line) => write(line, noise(line.chance, 20_000)),
  byteByByte: async (answer, line) => {
    for (const byte of answer) {
      write(line, Buffer.from([byte]));
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  },
  late: async (answer, line) => {
    await systemClock.sleep(15 + line.chance(30));
    write(line, answer);
  },
  keptBack: (answer, line) => void line.kept.push(answer),
  rightAfterAll: (answer, line) => write(line, answer),
};
const KINDS = Object.keys(MALICE);

/** Answers every request badly, in ways the seed chooses, and counts how often in which. */
async function hostileUnit(told: Map<string, number>): Promise<{ server: Server; port: number }> {
  let lines = 0;
  const server = createServer((socket) => {
    const line: Line = { socket, chance: chanceOf(SEED + lines++), kept: [] };
    let turn: Promise<void> = Promise.resolve();
    let rest: Buffer = Buffer.alloc(0);
    const answer = async (request: Buffer) => {
      const kind = KINDS[line.chance(KINDS.length)]!;
      told.set(kind, (told.get(kind) ?? 0) + 1);
      if (kind !== "keptBack") for (const older of line.kept.splice(0)) write(line, older);
      await MALICE[kind]!(goodAnswer(request), line);
    };
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      for (; rest.length >= 8; rest = rest.subarray(8)) {
        const request = Buffer.from(rest.subarray(0, 8));
        turn = turn.then(() => answer(request));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return { server, port: typeof address === "object" && address !== null ? address.port : 0 };
}

test(`${REPLIES} malformed replies on lines without ids never become a wrong value, and cost no memory`, async () => {
  const told = new Map<string, number>();
  const ends = new Map<string, number>();
  const { server, port } = await hostileUnit(told);
  await using healthy = await ModbusSimulator.start(systemClock);
  healthy.unit(1).holding[7] = HELD;
  const heap = await hostileRun({
    replies: REPLIES,
    told,
    kinds: KINDS,
    ends,
    endsWanted: ["good", "bad", "device.timeout", "link.lost", "link.garbled"],
    lines: (goOn) =>
      Array.from({ length: LINES }, (_, line) =>
        readAll({ transport: "rtuOverTcp", port }, chanceOf(SEED ^ (line * 7_919)), goOn, ends),
      ),
    neighbour: (goOn) => readWell(modbus as unknown as AnyDriver, healthy, "holding:7", goOn),
  });
  server.close();
  if (process.env.MILLRACE_HOSTILE_REPLIES !== undefined)
    console.log({ ...heap, told: Object.fromEntries(told), ends: Object.fromEntries(ends) });
}, 600_000);
