import { createServer, type Server, type Socket } from "node:net";
import { type Area, FUNCTION } from "@millrace/contract/driver/modbus/address";
import { type Clock, systemClock } from "@millrace/contract/std/clock";
import { SimUnit, type SimWrite, writeOf } from "./simulated-unit.ts";

/** A request as the simulator received it. */
export interface SimRequest {
  id: number;
  unit: number;
  functionCode: number;
  offset: number;
  count: number;
}

/** What the simulator does with one request instead of answering well. */
export type Misdeed =
  | { do: "silent" }
  | { do: "late"; ms: number }
  | { do: "wrongId" }
  | { do: "wrongUnit" }
  | { do: "wrongFunction" }
  | { do: "wrongByteCount" }
  | { do: "wrongLength" }
  | { do: "drip" }
  | { do: "cut"; bytes: number }
  | { do: "exception"; code: number }
  /** Sends these bytes instead of the answer; `answer` is the right one. */
  | { do: "raw"; bytes(request: SimRequest, answer: Buffer): Uint8Array[] }
  /** Each piece in a segment of its own. */
  | { do: "pieces"; bytes(answer: Buffer): Uint8Array[] };

const EXCEPTION = { function: 1, address: 2, value: 3 } as const;
/** What stands before unit and PDU; its last two bytes are their length. */
const HEADER_BYTES = 6;
/** Unit, function, address, count: the shortest request there is. */
const BODY_BYTES_MIN = 6;

/**
 * A Modbus TCP device of our own, in this process, on a port the system chooses. Used by tests and by the simulated
 * plant; it speaks the real wire format.
 */
export class ModbusSimulator {
  /** Used one per request, in order; then the device behaves. */
  readonly misdeeds: Misdeed[] = [];
  /** Used for every request while it is set. */
  always: Misdeed | null = null;
  idsEchoed = true;
  readonly requests: SimRequest[] = [];
  readonly writes: SimWrite[] = [];
  connections = 0;
  readonly #clock: Clock;
  readonly #units = new Map<number, SimUnit>();
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  private constructor(clock: Clock) {
    this.#clock = clock;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** @param port 0 lets the system choose; a test that brings a device back gives the old one. */
  static async start(clock: Clock, port = 0): Promise<ModbusSimulator> {
    const simulator = new ModbusSimulator(clock);
    await new Promise<void>((resolve, reject) => {
      simulator.#server.once("error", reject);
      simulator.#server.listen(port, "127.0.0.1", resolve);
    });
    return simulator;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** Sockets open at this moment. */
  get socketsOpen(): number {
    return this.#sockets.size;
  }

  /** The unit of this number, made when first asked for. */
  unit(number: number): SimUnit {
    let unit = this.#units.get(number);
    if (unit === undefined) {
      unit = new SimUnit();
      this.#units.set(number, unit);
    }
    return unit;
  }

  /** Pulls the cable of everybody connected. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Sends bytes nobody asked for. */
  blurt(bytes: Uint8Array): void {
    for (const socket of this.#sockets) socket.write(bytes);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.cut();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #serve(socket: Socket): void {
    this.connections++;
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
    let rest: Buffer = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= HEADER_BYTES) {
        const bytes = HEADER_BYTES + Math.max(BODY_BYTES_MIN, rest.readUInt16BE(4));
        if (rest.length < bytes) return;
        this.#handle(socket, rest.subarray(0, bytes));
        rest = rest.subarray(bytes);
      }
    });
  }

  #handle(socket: Socket, bytes: Buffer): void {
    const request: SimRequest = {
      id: bytes.readUInt16BE(0),
      unit: bytes[6]!,
      functionCode: bytes[7]!,
      offset: bytes.readUInt16BE(8),
      count: bytes.readUInt16BE(10),
    };
    this.requests.push(request);
    const pdu = this.#answer(request, bytes);
    if (pdu === null) return;
    const answer = frame(this.idsEchoed ? request.id : 0, request.unit, pdu);
    const misdeed = this.misdeeds.shift() ?? this.always;
    if (misdeed === null) socket.write(answer);
    else this.#misbehave(socket, request, answer, misdeed);
  }

  /** The right PDU; null when this unit says nothing. */
  #answer({ unit: number, functionCode, offset, count }: SimRequest, bytes: Buffer): Buffer | null {
    const unit = this.#units.get(number);
    if (unit === undefined || unit.dead) return null;
    const area = (Object.keys(FUNCTION) as Area[]).find((one) => FUNCTION[one] === functionCode);
    const refuse = (code: number) => Buffer.from([functionCode | 0x80, code]);
    if (unit.exception !== null) return refuse(unit.exception);
    const write = writeOf(number, unit, bytes);
    if (write !== null) return this.#write(unit, write, bytes);
    if (area === undefined || unit.missing.has(area)) return refuse(EXCEPTION.function);
    const bits = functionCode <= 2;
    const max = bits ? 2_000 : unit.registersMax;
    if (count > max && unit.overLimit === "silent") return null;
    if (count < 1 || count > max) return refuse(count > max ? Number(unit.overLimit) : EXCEPTION.value);
    if (offset + count > 65_536) return refuse(EXCEPTION.address);
    if (unit.illegal.size > 0) {
      for (let at = offset; at < offset + count; at++) {
        if (unit.illegal.has(`${area}:${at}`)) return refuse(EXCEPTION.address);
      }
    }
    return bits
      ? packBits(unit[area], functionCode, offset, count)
      : pack(unit[area], functionCode, offset, count);
  }

  #write(unit: SimUnit, write: SimWrite, bytes: Buffer): Buffer {
    const functionCode = bytes[7]!;
    const { area, offset, words } = write;
    if (unit.missing.has(area)) return Buffer.from([functionCode | 0x80, EXCEPTION.function]);
    if (words.some((_, at) => unit.illegal.has(`${area}:${offset + at}`) || offset + at > 65_535))
      return Buffer.from([functionCode | 0x80, EXCEPTION.address]);
    this.writes.push(write);
    if (!unit.ignoresWrites) unit[area].set(words, offset);
    return Buffer.from(bytes.subarray(7, functionCode === 22 ? 14 : 12));
  }

  #misbehave(socket: Socket, request: SimRequest, answer: Buffer, misdeed: Misdeed): void {
    switch (misdeed.do) {
      case "silent":
        return;
      case "late":
        this.#clock.after(misdeed.ms, () => socket.writable && socket.write(answer));
        return;
      case "drip":
        void this.#drip(
          socket,
          Array.from(answer, (byte) => Buffer.from([byte])),
        );
        return;
      case "pieces":
        void this.#drip(socket, misdeed.bytes(answer));
        return;
      case "cut":
        socket.write(answer.subarray(0, misdeed.bytes), () => socket.destroy());
        return;
      case "raw":
        for (const bytes of misdeed.bytes(request, answer)) socket.write(bytes);
        return;
      default:
        socket.write(falsify(answer, misdeed));
    }
  }

  async #drip(socket: Socket, pieces: Uint8Array[]): Promise<void> {
    for (const piece of pieces) {
      if (!socket.writable) return;
      socket.write(piece);
      await this.#clock.sleep(1);
    }
  }
}

type Lie = Exclude<Misdeed["do"], "silent" | "late" | "drip" | "cut" | "raw" | "pieces">;

/** The right answer with one thing wrong. */
function falsify(answer: Buffer, misdeed: Extract<Misdeed, { do: Lie }>): Buffer {
  const bytes = Buffer.from(answer);
  switch (misdeed.do) {
    case "wrongId":
      bytes.writeUInt16BE((bytes.readUInt16BE(0) + 0x7fff) & 0xffff, 0);
      return bytes;
    case "wrongUnit":
      bytes[6] = bytes[6]! ^ 0x01;
      return bytes;
    case "wrongFunction":
      bytes[7] = bytes[7]! ^ 0x07;
      return bytes;
    case "wrongByteCount":
      bytes[8] = bytes[8]! - 1;
      return bytes;
    case "wrongLength":
      return frame(bytes.readUInt16BE(0), bytes[6]!, bytes.subarray(7, -2));
    case "exception":
      return frame(bytes.readUInt16BE(0), bytes[6]!, Buffer.from([bytes[7]! | 0x80, misdeed.code]));
  }
}

/** MBAP header, unit and PDU. */
export function frame(id: number, unit: number, pdu: Uint8Array): Buffer {
  const bytes = Buffer.alloc(7 + pdu.length);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt16BE(pdu.length + 1, 4);
  bytes[6] = unit;
  bytes.set(pdu, 7);
  return bytes;
}

function pack(memory: ArrayLike<number>, functionCode: number, offset: number, count: number): Buffer {
  const pdu = Buffer.alloc(2 + count * 2);
  pdu[0] = functionCode;
  pdu[1] = count * 2;
  for (let index = 0; index < count; index++) pdu.writeUInt16BE(memory[offset + index]!, 2 + index * 2);
  return pdu;
}

function packBits(memory: ArrayLike<number>, functionCode: number, offset: number, count: number): Buffer {
  const pdu = Buffer.alloc(2 + Math.ceil(count / 8));
  pdu[0] = functionCode;
  pdu[1] = pdu.length - 2;
  for (let index = 0; index < count; index++) {
    if (memory[offset + index]) pdu[2 + (index >> 3)] = pdu[2 + (index >> 3)]! | (1 << (index & 7));
  }
  return pdu;
}

/** What of the device below can be written, and what cannot. */
const CONFORMANCE_WRITES = {
  writable: [
    { address: "coil:3", dataType: "boolean" as const, value: false },
    { address: "holding:0.15", dataType: "boolean" as const, value: false },
    { address: "holding:30 byte=high", dataType: "int8" as const, value: -5 },
    { address: "holding:30 byte=low", dataType: "uint8" as const, value: 200 },
    { address: "holding:31", dataType: "int16" as const, value: -2 },
    { address: "holding:32", dataType: "uint16" as const, value: 65_535 },
    { address: "holding:33 order=CDAB", dataType: "int32" as const, value: -70_000 },
    { address: "holding:35 order=BADC", dataType: "uint32" as const, value: 4_000_000_000 },
    { address: "holding:37", dataType: "uint64" as const, value: 18_446_744_073_709_551_615n },
    { address: "holding:41 order=HGFEDCBA", dataType: "int64" as const, value: -9_007_199_254_740_993n },
    { address: "holding:45", dataType: "float32" as const, value: 2.5 },
    { address: "holding:47", dataType: "float64" as const, value: 0.1 },
    { address: "holding:51 length=8 layout=low-high", dataType: "text" as const, value: "Race 7" },
  ],
  unwritable: [
    { address: "discrete:0", dataType: "boolean" as const, value: true },
    { address: "input:0", dataType: "uint16" as const, value: 1 },
    { address: "holding:12", dataType: "uint16" as const, value: 1 },
    { address: "holding:32", dataType: "uint16" as const, value: 65_536 },
    { address: "holding:45", dataType: "float32" as const, value: 1e39 },
  ],
};

/** A device with one value of each type, for the conformance suite. */
export async function conformanceDevice() {
  const simulator = await ModbusSimulator.start(systemClock);
  const unit = simulator.unit(1);
  unit.coil[3] = 1;
  unit.discrete[0] = 1;
  // 0x8001 read as each 8 and 16 bit type, and one value of each wider type in big-endian order.
  unit.holding.set([0x8001, 0xfffe, 0x1dc0, 0x8000, 0, 0, 1, 0x7fff, 0xffff, 0xffff, 0xfffe]);
  unit.setFloat("holding", 20, -1.5);
  unit.input.set([0x4009, 0x21fb, 0x5444, 0x2d18, 0x4d69, 0x6c6c, 0x0000]);
  unit.illegal.add("holding:12");
  return {
    settings: { host: "127.0.0.1", port: simulator.port, timeoutMs: 2_000 },
    readable: [
      { address: "coil:3", dataType: "boolean" as const, value: true },
      { address: "discrete:0", dataType: "boolean" as const, value: true },
      { address: "holding:0.15", dataType: "boolean" as const, value: true },
      { address: "holding:0 byte=high", dataType: "int8" as const, value: -128 },
      { address: "40001", dataType: "uint8" as const, value: 1 },
      { address: "holding:0", dataType: "int16" as const, value: -32_767 },
      { address: "400001", dataType: "uint16" as const, value: 32_769 },
      { address: "holding:1", dataType: "int32" as const, value: -123_456 },
      { address: "holding:0x3", dataType: "uint32" as const, value: 2_147_483_648 },
      { address: "holding:3", dataType: "uint64" as const, value: 9_223_372_036_854_775_809n },
      { address: "holding:7", dataType: "int64" as const, value: 9_223_372_036_854_775_806n },
      { address: "holding:20", dataType: "float32" as const, value: -1.5 },
      { address: "input:0", dataType: "float64" as const, value: Math.PI },
      { address: "30005 length=6", dataType: "text" as const, value: "Mill" },
    ],
    illegal: { address: "holding:12", dataType: "uint16" as const },
    ...CONFORMANCE_WRITES,
    malformed: [
      "",
      "holding",
      "holding:",
      "holding:70000",
      "40000",
      "pump:3",
      "holding:1 oder=AB",
      "holding:1.16",
    ],
    wrong: [
      { settings: {}, setting: "host" },
      { settings: { host: "plc", port: 0 }, setting: "port" },
      { settings: { host: "plc", unit: 256 }, setting: "unit" },
      { settings: { host: "plc", wordOrder: "middle-first" }, setting: "wordOrder" },
      { settings: { host: "plc", adressBase: 1 }, setting: "adressBase" },
    ],
    socketsOpen: () => simulator.socketsOpen,
    connections: () => simulator.connections,
    cut: () => simulator.cut(),
    silence: (on: boolean) => {
      simulator.always = on ? { do: "silent" } : null;
    },
    close: () => simulator.close(),
  };
}
