import { createServer, type Server, type Socket } from "node:net";
import { systemClock } from "@millrace/contract/std/clock";
import { answer, packet } from "../src/drivers/s7/simulated-cpu.ts";
import { type Chance, chanceOf } from "./chance.ts";

/** Every word of the block holds a number its neighbours do not: an answer to another question cannot pass for this. */
export const truth = (offset: number): number => ((offset / 2) * 40_503 + 12_345) & 0xffff;

const HEAD_BYTES = 7;
/** Bytes of a piece where an answer comes in many. */
const PIECE_BYTES = 7;
/**
 * Bytes an incomplete answer leaves out. ISO packets have no checksum: bytes that come next, fill the hole exactly and
 * end there would be the one lie that nobody can tell from the truth. So whatever else is sent is longer than a hole, or
 * of another length.
 */
const HOLES = [1, 2, 3, 4, 5, 6, 8, 9, 10, 12];
const HOLE_BYTES_MAX = 12;
/** Bytes of the header and of function and item count, before the first item. */
const ITEM_AT = HEAD_BYTES + 14;

/** The right packet for a read request of whole words. */
function goodAnswer(request: Buffer): Buffer {
  const parameters = request.subarray(10);
  const data: Buffer[] = [];
  for (let index = 0; index < parameters[1]!; index++) {
    const count = parameters.readUInt16BE(2 + index * 12 + 4);
    const offset = parameters.readUIntBE(2 + index * 12 + 9, 3) >> 3;
    const bytes = Buffer.alloc(4 + count);
    bytes.set([0xff, 4]);
    bytes.writeUInt16BE(count * 8, 2);
    for (let at = 0; at < count; at += 2) bytes.writeUInt16BE(truth(offset + at), 4 + at);
    data.push(bytes);
  }
  return packet(answer(request.readUInt16BE(4), parameters.subarray(0, 2), Buffer.concat(data)));
}

const noise = (chance: Chance, length: number): Buffer =>
  Buffer.from(Array.from({ length }, () => chance(256)));

interface Line {
  socket: Socket;
  chance: Chance;
  older: Buffer[];
}

/** One way to answer badly. Each either sends nothing usable, or the truth in an awkward form. */
type Malice = (answer: Buffer, line: Line) => void;

const lie =
  (change: (bytes: Buffer, chance: Chance) => void): Malice =>
  (good, { socket, chance }) => {
    const bytes = Buffer.from(good);
    change(bytes, chance);
    socket.write(bytes);
  };
const lieAt = (at: number): Malice =>
  lie((bytes, chance) => bytes.writeUInt8(bytes[at]! ^ (1 + chance(255)), at));
const lieWord = (at: number): Malice =>
  lie((bytes, chance) => bytes.writeUInt16BE((bytes.readUInt16BE(at) + 1 + chance(0xffff)) & 0xffff, at));
const telegramOf = (good: Buffer): Buffer => good.subarray(HEAD_BYTES);
const refOf = (good: Buffer): number => telegramOf(good).readUInt16BE(4);

/** Packets nobody asked for, as fast as they are taken, until the peer has had enough. */
function flood(socket: Socket, make: () => Buffer): void {
  const more = () => {
    for (let count = 0; count < 16 && socket.writable; count++) socket.write(make());
    if (socket.writable) setImmediate(more);
  };
  more();
}

const MALICE: Record<string, Malice> = {
  wrongVersion: lieAt(0),
  wrongLength: lieWord(2),
  wrongPacketHead: lieAt(4),
  wrongPacketType: lie((bytes, chance) => bytes.writeUInt8([0x10, 0x70, 0xd0, 0x80][chance(4)]!, 5)),
  wrongProtocol: lieAt(HEAD_BYTES),
  wrongKind: lieAt(HEAD_BYTES + 1),
  // Far from every number under way: S7 has no other mark by which an answer could be known.
  wrongNumber: lie((bytes, chance) =>
    bytes.writeUInt16BE((refOf(bytes) + 1_000 + chance(30_000)) & 0xffff, HEAD_BYTES + 4),
  ),
  wrongParameterLength: lieWord(HEAD_BYTES + 6),
  wrongDataLength: lieWord(HEAD_BYTES + 8),
  wrongFunction: lieAt(HEAD_BYTES + 12),
  wrongItemCount: lieAt(HEAD_BYTES + 13),
  wrongItemKind: lieAt(ITEM_AT + 1),
  wrongItemLength: lieWord(ITEM_AT + 2),
  itemRefused: lie((bytes, chance) => bytes.writeUInt8(chance(255), ITEM_AT)),
  wholeRefused: (good, { socket, chance }) => {
    socket.write(packet(answer(refOf(good), Buffer.alloc(0), Buffer.alloc(0), 1 + chance(0xffff))));
  },
  tooShort: (good, { socket, chance }) => {
    socket.write(packet(telegramOf(good).subarray(0, -1 - chance(20))));
  },
  tooLong: (good, { socket, chance }) => {
    socket.write(packet(Buffer.concat([telegramOf(good), noise(chance, 2 + chance(8))])));
  },
  shorterData: (good, { socket, chance }) => {
    const telegram = telegramOf(good);
    const data = telegram.subarray(14, telegram.length - 1 - chance(Math.min(8, telegram.length - 18)));
    socket.write(packet(answer(refOf(good), telegram.subarray(12, 14), data)));
  },
  olderAnswer: (_, { socket, older, chance }) => {
    if (older.length > 0) socket.write(older[chance(older.length)]!);
  },
  olderThenRight: (good, { socket, older }) => void socket.write(Buffer.concat([...older.slice(-3), good])),
  twice: (good, { socket }) => void socket.write(Buffer.concat([good, good])),
  cutShort: (good, { socket, chance }) => {
    socket.end(good.subarray(0, chance(2) * (HOLE_BYTES_MAX + 1 + chance(good.length - HOLE_BYTES_MAX - 1))));
  },
  incomplete: (good, { socket, chance }) =>
    void socket.write(good.subarray(0, -HOLES[chance(HOLES.length)]!)),
  inPieces: (good, { socket }) => {
    void (async () => {
      for (let at = 0; at < good.length && socket.writable; at += PIECE_BYTES) {
        socket.write(good.subarray(at, at + PIECE_BYTES));
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
    })();
  },
  inParts: (good, { socket, chance }) => {
    const telegram = telegramOf(good);
    const at = HOLE_BYTES_MAX + chance(telegram.length - HOLE_BYTES_MAX);
    const first = packet(telegram.subarray(0, at));
    first[6] = 0;
    socket.write(Buffer.concat([first, packet(telegram.subarray(at))]));
  },
  partsWithoutEnd: (good, { socket }) => {
    const part = Buffer.from(good);
    part[6] = 0;
    flood(socket, () => part);
  },
  goodbye: (_, { socket }) => void socket.write(Buffer.from([3, 0, 0, 11, 6, 0x80, 0, 0, 0, 0, 0])),
  randomBytes: (_, { socket, chance }) => void socket.write(noise(chance, HOLE_BYTES_MAX + 1 + chance(400))),
  endless: (_, { socket, chance }) =>
    flood(socket, () => packet(answer(0xf000 + chance(0xfff), Buffer.from([4, 1]), noise(chance, 200)))),
  late: (good, { socket, chance }) => {
    systemClock.after(15 + chance(30), () => void (socket.writable && socket.write(good)));
  },
};
export const KINDS = Object.keys(MALICE);
/** Ways that end in the truth: only then a written value is taken over. */
const TRUE_KINDS = ["twice", "olderThenRight", "inPieces", "late"];
/** Ways that mean the same where an item of the answer is one byte. */
const WRITE_KINDS = [
  ...TRUE_KINDS,
  ...KINDS.filter((kind) => /^wrong/.test(kind) && !/^wrongItem(Kind|Length)$/.test(kind)),
  ...[
    "itemRefused",
    "wholeRefused",
    "tooShort",
    "tooLong",
    "olderAnswer",
    "goodbye",
    "randomBytes",
    "endless",
  ],
];

/** What a CPU can say to the setup instead of a grant that can be used as it stands. */
const GRANTS: ((good: Buffer, line: Line) => void)[] = [
  lieAt(HEAD_BYTES),
  lieAt(HEAD_BYTES + 12),
  lieWord(HEAD_BYTES + 6),
  lie((bytes, chance) => bytes.writeUInt16BE(chance(64), HEAD_BYTES + 18)),
  // More than was asked for, no request at all: true as far as it goes, we keep to what we asked for.
  lie((bytes, chance) => bytes.writeUInt16BE(1_000 + chance(60_000), HEAD_BYTES + 18)),
  lie((bytes) => bytes.fill(0, HEAD_BYTES + 14, HEAD_BYTES + 18)),
  MALICE.wrongNumber!,
  MALICE.wholeRefused!,
  MALICE.twice!,
  MALICE.inPieces!,
  MALICE.cutShort!,
  MALICE.randomBytes!,
];
/** One connection in so many is refused or lied to while hands are shaken. */
const HANDSHAKE_ODDS = 8;

/**
 * A CPU that answers every request badly, in ways the seed chooses, and sometimes the handshake too.
 * @param told counts how often in which way
 * @param stored what was written and taken over, as `OFFSET=VALUE`
 */
export async function hostileCpu(
  seed: number,
  told: Map<string, number>,
  stored: Set<string>,
): Promise<{ server: Server; port: number }> {
  let lines = 0;
  const server = createServer((socket) => {
    const line: Line = { socket, chance: chanceOf(seed + lines++), older: [] };
    socket.on("error", () => {});
    let rest: Buffer = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 4 && rest.length >= rest.readUInt16BE(2)) {
        const whole = Buffer.from(rest.subarray(0, rest.readUInt16BE(2)));
        rest = rest.subarray(whole.length);
        reply(line, whole, told, stored);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return { server, port: typeof address === "object" && address !== null ? address.port : 0 };
}

function reply(line: Line, whole: Buffer, told: Map<string, number>, stored: Set<string>): void {
  const { socket, chance } = line;
  const telegram = whole.subarray(HEAD_BYTES);
  const isHostile = () => chance(HANDSHAKE_ODDS) === 0;
  if (whole[5] === 0xe0) {
    whole[5] = isHostile() ? chance(256) : 0xd0;
    socket.write(whole);
    return;
  }
  const ref = telegram.readUInt16BE(4);
  if (telegram[10] === 0xf0) {
    const granted = packet(answer(ref, Buffer.from([0xf0, 0, 0, 4, 0, 4, 0, 240]), Buffer.alloc(0)));
    if (isHostile()) GRANTS[chance(GRANTS.length)]!(granted, line);
    else socket.write(granted);
    return;
  }
  const isWrite = telegram[10] === 5;
  const good = isWrite
    ? packet(answer(ref, telegram.subarray(10, 12), Buffer.alloc(telegram[11]!, 0xff)))
    : goodAnswer(telegram);
  const kinds = isWrite ? WRITE_KINDS : KINDS;
  const kind = kinds[chance(kinds.length)]!;
  if (isWrite && TRUE_KINDS.includes(kind))
    stored.add(`${telegram.readUIntBE(21, 3) >> 3}=${telegram.readUInt16BE(telegram.length - 2)}`);
  told.set(kind, (told.get(kind) ?? 0) + 1);
  MALICE[kind]!(good, line);
  line.older = [...line.older.slice(-7), good];
}
