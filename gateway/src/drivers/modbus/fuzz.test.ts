import { test } from "bun:test";
import { createServer, type Server, type Socket } from "node:net";
import { systemClock } from "@millrace/contract/std/clock";
import { type Chance, chanceOf } from "../../../test/chance.ts";
import { noise, readAll, truth } from "../../../test/hostile-modbus.ts";
import { HELD, hostileRun, readWell } from "../../../test/hostile-run.ts";
import type { AnyDriver } from "../../driver/registry.ts";
import { modbus } from "./index.ts";
import { frame, ModbusSimulator } from "./simulator.ts";

const SEED = 0x6d6f6462;
const REPLIES = 10_000;
const LINES = 20;

function goodAnswer(request: Buffer): Buffer {
  const offset = request.readUInt16BE(8);
  const count = request.readUInt16BE(10);
  const pdu = Buffer.alloc(2 + count * 2);
  pdu[0] = request[7]!;
  pdu[1] = count * 2;
  for (let index = 0; index < count; index++) pdu.writeUInt16BE(truth(offset + index), 2 + index * 2);
  return frame(request.readUInt16BE(0), request[6]!, pdu);
}

interface Line {
  socket: Socket;
  chance: Chance;
  older: Buffer[];
}

/** One way to answer badly. Each either sends nothing usable, or the truth in an awkward form. */
type Malice = (answer: Buffer, line: Line) => void;

const lie =
  (change: (bytes: Buffer, chance: Chance) => void): Malice =>
  (answer, { socket, chance }) => {
    const bytes = Buffer.from(answer);
    change(bytes, chance);
    socket.write(bytes);
  };

const MALICE: Record<string, Malice> = {
  wrongLength: lie((bytes, chance) => bytes.writeUInt16BE(chance(0x1_0000), 4)),
  wrongId: lie((bytes, chance) =>
    bytes.writeUInt16BE((bytes.readUInt16BE(0) + 1 + chance(0xffff)) & 0xffff, 0),
  ),
  wrongProtocol: lie((bytes, chance) => bytes.writeUInt16BE(1 + chance(0xffff), 2)),
  wrongUnit: lie((bytes, chance) => bytes.writeUInt8(bytes[6]! ^ (1 + chance(255)), 6)),
  wrongFunction: lie((bytes, chance) => bytes.writeUInt8(bytes[7]! ^ (1 + chance(255)), 7)),
  wrongByteCount: lie((bytes, chance) => bytes.writeUInt8(bytes[8]! ^ (1 + chance(255)), 8)),
  tooShort: (answer, { socket, chance }) => {
    const pdu = answer.subarray(7, answer.length - 1 - chance(Math.min(answer.length - 9, 8)));
    socket.write(frame(answer.readUInt16BE(0), answer[6]!, pdu));
  },
  tooLong: (answer, { socket, chance }) => {
    const pdu = Buffer.concat([answer.subarray(7), noise(chance, 1 + chance(8))]);
    socket.write(frame(answer.readUInt16BE(0), answer[6]!, pdu));
  },
  exception: (answer, { socket, chance }) => {
    const body = Buffer.from([answer[7]! | 0x80, chance(256)]);
    socket.write(frame(answer.readUInt16BE(0), answer[6]!, body));
  },
  olderAnswer: (_, { socket, older, chance }) => {
    if (older.length > 0) socket.write(older[chance(older.length)]!);
  },
  olderThenRight: (answer, { socket, older }) => {
    socket.write(Buffer.concat([...older.slice(-3), answer]));
  },
  twice: (answer, { socket }) => void socket.write(Buffer.concat([answer, answer])),
  cutShort: (answer, { socket, chance }) => {
    socket.end(answer.subarray(0, chance(answer.length)));
  },
  // An even number of bytes is missing, a frame is odd: Modbus TCP has no checksum, so a late frame that fills the hole
  // exactly would be the one lie that nobody can tell from the truth.
  incomplete: (answer, { socket, chance }) => {
    socket.write(answer.subarray(0, answer.length - 2 * (1 + chance((answer.length - 1) / 2))));
  },
  byteByByte: (answer, { socket }) => {
    void (async () => {
      for (let at = 0; at < answer.length && socket.writable; at++) {
        socket.write(answer.subarray(at, at + 1));
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
    })();
  },
  randomBytes: (_, { socket, chance }) => void socket.write(noise(chance, 1 + chance(400))),
  endless: (answer, { socket, chance }) =>
    flood(socket, () => frame(chance(0x1_0000) & 0xff00, answer[6]!, noise(chance, 250))),
  late: (answer, { socket, chance }) => {
    systemClock.after(15 + chance(30), () => void (socket.writable && socket.write(answer)));
  },
};
const KINDS = Object.keys(MALICE);
/** An older answer of the same shape is told apart by its id alone, so no reader could do without. */
const NEEDS_IDS = ["olderAnswer", "olderThenRight"];
const KINDS_WITHOUT_IDS = KINDS.filter((kind) => !NEEDS_IDS.includes(kind));
/** Unit of the lines that are read without ids, so that the server knows. */
const UNIT_WITHOUT_IDS = 9;

/** Frames nobody asked for, as fast as they are taken, until the peer has had enough. */
function flood(socket: Socket, make: () => Buffer): void {
  const more = () => {
    for (let count = 0; count < 16 && socket.writable; count++) socket.write(make());
    if (socket.writable) setImmediate(more);
  };
  more();
}

/** Answers every request badly, in ways the seed chooses, and counts how often in which. */
async function hostileServer(told: Map<string, number>): Promise<{ server: Server; port: number }> {
  let lines = 0;
  const server = createServer((socket) => {
    const line: Line = { socket, chance: chanceOf(SEED + lines++), older: [] };
    socket.on("error", () => {});
    socket.on("data", (request: Buffer) => {
      const answer = goodAnswer(request);
      const kinds = request[6] === UNIT_WITHOUT_IDS ? KINDS_WITHOUT_IDS : KINDS;
      const kind = kinds[line.chance(kinds.length)]!;
      told.set(kind, (told.get(kind) ?? 0) + 1);
      MALICE[kind]!(answer, line);
      line.older = [...line.older.slice(-7), answer];
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return { server, port: typeof address === "object" && address !== null ? address.port : 0 };
}

test(`${REPLIES} malformed replies never become a wrong value, and cost no memory`, async () => {
  const told = new Map<string, number>();
  const ends = new Map<string, number>();
  const { server, port } = await hostileServer(told);
  await using healthy = await ModbusSimulator.start(systemClock);
  healthy.unit(1).holding[7] = HELD;
  await hostileRun({
    replies: REPLIES,
    told,
    kinds: KINDS,
    ends,
    endsWanted: ["good", "bad", "device.timeout", "link.lost", "link.garbled"],
    lines: (goOn) =>
      Array.from({ length: LINES }, (_, line) => {
        // A quarter of the lines speaks with converters of this kind: everything but the id must still fit.
        const idsNotEchoed = line % 4 === 0;
        const unit = idsNotEchoed ? UNIT_WITHOUT_IDS : 1;
        return readAll({ port, unit, idsNotEchoed }, chanceOf(SEED ^ (line * 7_919)), goOn, ends);
      }),
    neighbour: (goOn) => readWell(modbus as unknown as AnyDriver, healthy, "holding:7", goOn),
  });
  server.close();
}, 60_000);
