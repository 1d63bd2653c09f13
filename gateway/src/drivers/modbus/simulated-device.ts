import type { Socket } from "node:net";
import { type Area, FUNCTION } from "@millrace/contract/driver/modbus/address";
import type { Clock } from "@millrace/contract/std/clock";
import { SimulatedPeer, singly } from "../../driver/simulated-peer.ts";
import { crc16, withCrc } from "./question.ts";
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

export type Framing = "tcp" | "rtu";

const EXCEPTION = { function: 1, address: 2, value: 3 } as const;
/** What stands before unit and PDU; its last two bytes are their length. */
const HEADER_BYTES = 6;
/** Unit, function, address, count: the shortest request there is. */
const BODY_BYTES_MIN = 6;

/**
 * A Modbus device of our own, in this process, on a TCP port the system chooses. Used by tests and by the simulated
 * plant; it speaks the real wire format: that of Modbus TCP, or the frames of a serial line.
 */
export class ModbusSimulator extends SimulatedPeer {
  /** Used one per request, in order; then the device behaves. */
  readonly misdeeds: Misdeed[] = [];
  /** Used for every request while it is set. */
  always: Misdeed | null = null;
  idsEchoed = true;
  /** With the frames of a serial line: what is sent here comes back first, as two-wire adapters have it. */
  echoes = false;
  readonly requests: SimRequest[] = [];
  readonly writes: SimWrite[] = [];
  readonly #units = new Map<number, SimUnit>();
  readonly #framing: Framing;
  #turn: Promise<void> = Promise.resolve();

  private constructor(clock: Clock, framing: Framing) {
    super(clock);
    this.#framing = framing;
  }

  /** @param port 0 lets the system choose; a test that brings a device back gives the old one. */
  static async start(clock: Clock, port = 0, framing: Framing = "tcp"): Promise<ModbusSimulator> {
    return await new ModbusSimulator(clock, framing).listen(port);
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

  protected messageBytes(received: Buffer): number {
    if (received.length < HEADER_BYTES) return Number.POSITIVE_INFINITY;
    return this.#framing === "tcp" ? tcpBytes(received) : rtuBytes(received);
  }

  protected take(socket: Socket, request: Buffer): void {
    if (this.#framing === "tcp") this.#handle(socket, request);
    else if (crc16(request, 0, request.length - 2) === request.readUInt16LE(request.length - 2)) {
      if (this.echoes) socket.write(request);
      const asked = frame(0, request[0]!, request.subarray(1, -2));
      // Whoever is on a serial line does one thing after the other, and so does a unit that is late.
      this.#turn = this.#turn.then(() => this.#handle(socket, asked));
    }
  }

  #handle(socket: Socket, bytes: Buffer): Promise<void> | void {
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
    const tcp = frame(this.idsEchoed ? request.id : 0, request.unit, pdu);
    const answer = this.#asSent(tcp);
    const misdeed = this.misdeeds.shift() ?? this.always;
    if (misdeed === null) socket.write(answer);
    else return this.#misbehave(socket, request, { answer, tcp }, misdeed);
  }

  #asSent(tcp: Buffer): Buffer {
    return this.#framing === "tcp" ? tcp : withCrc(tcp.subarray(HEADER_BYTES));
  }

  /** The right PDU; null when this unit says nothing. */
  #answer({ unit: number, functionCode, offset, count }: SimRequest, bytes: Buffer): Buffer | null {
    if (number === 0 && this.#framing === "rtu") return this.#broadcast(bytes);
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

  /** Every unit does it and none answers. */
  #broadcast(bytes: Buffer): null {
    for (const [number, unit] of this.#units) {
      const write = writeOf(number, unit, bytes);
      if (write !== null) this.#write(unit, write, bytes);
    }
    return null;
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

  #misbehave(
    socket: Socket,
    request: SimRequest,
    { answer, tcp }: { answer: Buffer; tcp: Buffer },
    misdeed: Misdeed,
  ): Promise<void> | void {
    switch (misdeed.do) {
      case "silent":
        return;
      case "late":
        return this.clock.sleep(misdeed.ms).then(() => void (socket.writable && socket.write(answer)));
      case "drip":
        void this.drip(socket, singly(answer));
        return;
      case "pieces":
        void this.drip(socket, misdeed.bytes(answer));
        return;
      case "cut":
        socket.write(answer.subarray(0, misdeed.bytes), () => socket.destroy());
        return;
      case "raw":
        for (const bytes of misdeed.bytes(request, answer)) socket.write(bytes);
        return;
      default:
        socket.write(this.#asSent(falsify(tcp, misdeed)));
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

const tcpBytes = (rest: Buffer): number => HEADER_BYTES + Math.max(BODY_BYTES_MIN, rest.readUInt16BE(4));

/** Length of a request on a serial line, as its function has it. */
function rtuBytes(rest: Buffer): number {
  const functionCode = rest[1]!;
  if (functionCode === 22) return 10;
  return functionCode === 15 || functionCode === 16 ? 9 + (rest[6] ?? 0) : 8;
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
