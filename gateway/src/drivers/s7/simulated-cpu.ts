import type { Socket } from "node:net";
import { AREA, type S7Area } from "@millrace/contract/driver/s7/address";
import type { Clock } from "@millrace/contract/std/clock";
import { SimulatedPeer, singly } from "../../driver/simulated-peer.ts";

/** One item of a request as the simulator received it. */
export interface SimItem {
  area: S7Area;
  db: number;
  start: number;
  bytes: number;
  bit: number | null;
}

export interface SimRequest {
  ref: number;
  does: "read" | "write" | "block";
  items: SimItem[];
}

/** What the simulator does with one request instead of answering well. */
export type Misdeed =
  | { do: "silent" }
  | { do: "late"; ms: number }
  | { do: "drip" }
  | { do: "cut"; bytes: number }
  /** Refuses the whole request with this class and code. */
  | { do: "refuse"; error: number }
  /** Sends these bytes instead of the answer; `telegram` is the right one. */
  | { do: "raw"; bytes(telegram: Buffer): Uint8Array[] };

const ITEM = { ok: 0xff, range: 0x05, missing: 0x0a } as const;
const AREA_OF = new Map(Object.entries(AREA).map(([name, code]) => [code as number, name as S7Area]));
const CONNECT = 0xe0;
const DATA = 0xf0;
/** Version, reserved, and the length of all. */
const ISO_HEAD_BYTES = 4;

/** A telegram in its ISO packet. */
export function packet(telegram: Uint8Array): Buffer {
  const bytes = Buffer.alloc(7 + telegram.length);
  bytes.writeUInt16BE(0x0300, 0);
  bytes.writeUInt16BE(bytes.length, 2);
  bytes.set([2, DATA, 0x80], 4);
  bytes.set(telegram, 7);
  return bytes;
}

/** An answer of the CPU: header, parameters, data. */
export function answer(ref: number, parameters: Uint8Array, data: Uint8Array, error = 0): Buffer {
  const bytes = Buffer.alloc(12 + parameters.length + data.length);
  bytes.set([0x32, 3]);
  bytes.writeUInt16BE(ref, 4);
  bytes.writeUInt16BE(parameters.length, 6);
  bytes.writeUInt16BE(data.length, 8);
  bytes.writeUInt16BE(error, 10);
  bytes.set(parameters, 12);
  bytes.set(data, 12 + parameters.length);
  return bytes;
}

/**
 * A CPU of our own, in this process, on a port the system chooses. Used by tests and by the simulated plant; it speaks
 * the real wire format.
 */
export class S7Simulator extends SimulatedPeer {
  /** What it grants. */
  pduBytes = 480;
  jobs = 8;
  /** Slots where it sits; null takes any place. */
  slots: number[] | null = null;
  /** Error of every request, e.g. 0x8104 with PUT/GET off; null for none. */
  refuses: number | null = null;
  /** Bytes the CPU does not give, as `db:5:12` or `marker:0:7`, with the code by which it refuses them. */
  readonly illegal = new Map<string, number>();
  /** Used one per request, in order; then the device behaves. */
  readonly misdeeds: Misdeed[] = [];
  /** Used for every request while it is set. */
  always: Misdeed | null = null;
  readonly requests: SimRequest[] = [];
  /** Most requests it ever had before it answered one. */
  jobsSeen = 0;
  /** Stamp of each block's declaration. */
  readonly declared = new Map<number, number>();
  readonly #memory = new Map<string, Buffer>();
  #jobsNow = 0;

  /** @param port 0 lets the system choose; a test that brings a device back gives the old one. */
  static async start(clock: Clock, port = 0): Promise<S7Simulator> {
    return await new S7Simulator(clock).listen(port);
  }

  /** Memory of an area, made or made anew when a length is given. */
  area(area: Exclude<S7Area, "db">, bytes?: number): Buffer {
    return this.#of(`${area}:0`, bytes);
  }

  db(number: number, bytes?: number): Buffer {
    return this.#of(`db:${number}`, bytes);
  }

  removeDb(number: number): void {
    this.#memory.delete(`db:${number}`);
  }

  #of(key: string, bytes?: number): Buffer {
    const known = this.#memory.get(key);
    if (known !== undefined && bytes === undefined) return known;
    const made = Buffer.alloc(bytes ?? 1_024);
    known?.copy(made);
    this.#memory.set(key, made);
    return made;
  }

  protected messageBytes(received: Buffer): number {
    return received.length < ISO_HEAD_BYTES
      ? Number.POSITIVE_INFINITY
      : Math.max(ISO_HEAD_BYTES, received.readUInt16BE(2));
  }

  protected take(socket: Socket, whole: Buffer): void {
    if (whole[5] === CONNECT) this.#connect(socket, whole);
    else this.#handle(socket, whole.subarray(7));
  }

  #connect(socket: Socket, request: Buffer): void {
    const slot = request.readUInt16BE(20) & 0x1f;
    const confirms = this.slots === null || this.slots.includes(slot);
    const reply = Buffer.from(confirms ? request : request.subarray(0, 11));
    reply[5] = confirms ? 0xd0 : 0x80;
    reply.writeUInt16BE(reply.length, 2);
    reply[4] = reply.length - 5;
    if (confirms) socket.write(reply);
    else socket.end(reply);
  }

  #handle(socket: Socket, telegram: Buffer): void {
    const ref = telegram.readUInt16BE(4);
    const parameters = telegram.subarray(10, 10 + telegram.readUInt16BE(6));
    const data = telegram.subarray(10 + parameters.length);
    if (parameters[0] === 0xf0) {
      const granted = Buffer.from(parameters);
      granted.writeUInt16BE(Math.min(this.jobs, parameters.readUInt16BE(2)), 2);
      granted.writeUInt16BE(Math.min(this.jobs, parameters.readUInt16BE(4)), 4);
      granted.writeUInt16BE(Math.min(this.pduBytes, parameters.readUInt16BE(6)), 6);
      socket.write(packet(answer(ref, granted, Buffer.alloc(0))));
      return;
    }
    const request: SimRequest = { ref, does: "read", items: itemsOf(parameters) };
    if (telegram[1] === 7) request.does = "block";
    else if (parameters[0] === 5) request.does = "write";
    this.requests.push(request);
    this.jobsSeen = Math.max(this.jobsSeen, ++this.#jobsNow);
    // Answered in the next turn, so that requests under way at once are seen as such.
    setImmediate(() => {
      this.#jobsNow--;
      this.#reply(socket, request, this.#answer(request, parameters, data));
    });
  }

  #answer(request: SimRequest, parameters: Buffer, data: Buffer): Buffer {
    if (request.does === "block") return this.#block(request.ref, Number(data.toString("latin1", 6, 11)));
    if (this.refuses !== null) return answer(request.ref, Buffer.alloc(0), Buffer.alloc(0), this.refuses);
    const body = request.does === "read" ? this.#read(request.items) : this.#write(request.items, data);
    return answer(request.ref, parameters.subarray(0, 2), body);
  }

  #codeOf(item: SimItem): number {
    const memory = this.#memory.get(`${item.area}:${item.db}`);
    if (memory === undefined) return ITEM.missing;
    const at = offsetOf(item);
    if (at + item.bytes > memory.length) return ITEM.range;
    for (let byte = at; this.illegal.size > 0 && byte < at + item.bytes; byte++) {
      const code = this.illegal.get(`${item.area}:${item.db}:${byte}`);
      if (code !== undefined) return code;
    }
    return ITEM.ok;
  }

  #read(items: readonly SimItem[]): Buffer {
    const parts: Buffer[] = [];
    for (const [index, item] of items.entries()) {
      const code = this.#codeOf(item);
      const head = Buffer.from([code, 0, 0, 0]);
      parts.push(head);
      if (code !== ITEM.ok) continue;
      const isCounted = item.area === "timer" || item.area === "counter";
      head[1] = isCounted ? 9 : 4;
      head.writeUInt16BE(isCounted ? item.bytes : item.bytes * 8, 2);
      const at = offsetOf(item);
      parts.push(this.#memory.get(`${item.area}:${item.db}`)!.subarray(at, at + item.bytes));
      if (item.bytes % 2 === 1 && index < items.length - 1) parts.push(Buffer.alloc(1));
    }
    return Buffer.concat(parts);
  }

  #write(items: readonly SimItem[], data: Buffer): Buffer {
    let at = 0;
    return Buffer.from(
      items.map((item) => {
        const code = this.#codeOf(item);
        const bytes = data.subarray(at + 4, at + 4 + item.bytes);
        at += 4 + item.bytes + (item.bytes & 1);
        if (code !== ITEM.ok) return code;
        const memory = this.#memory.get(`${item.area}:${item.db}`)!;
        const mask = item.bit === null ? 0 : 1 << item.bit;
        if (item.bit === null) bytes.copy(memory, offsetOf(item));
        else memory[item.start] = bytes[0] === 0 ? memory[item.start]! & ~mask : memory[item.start]! | mask;
        return code;
      }),
    );
  }

  /** What a 300 or 400 says of a data block. */
  #block(ref: number, db: number): Buffer {
    const memory = this.#memory.get(`db:${db}`);
    const data = Buffer.alloc(memory === undefined ? 4 : 82);
    data.set(memory === undefined ? [ITEM.missing] : [ITEM.ok, 9, 0, 78]);
    if (memory !== undefined) {
      data.writeUInt32BE(this.declared.get(db) ?? 1, 32);
      data.writeUInt16BE(memory.length, 44);
    }
    const parameters = Buffer.from([0, 1, 0x12, 8, 0x12, 0x83, 3, 0, 0, 0, 0, 0]);
    if (memory === undefined) parameters.writeUInt16BE(0xd209, 10);
    const whole = answer(ref, parameters, data);
    // A telegram of this kind has no error in its header.
    const bytes = Buffer.concat([whole.subarray(0, 10), whole.subarray(12)]);
    bytes[1] = 7;
    return bytes;
  }

  #reply(socket: Socket, request: SimRequest, telegram: Buffer): void {
    const misdeed = this.misdeeds.shift() ?? this.always;
    if (misdeed === null) socket.write(packet(telegram));
    else this.#misbehave(socket, request, telegram, misdeed);
  }

  #misbehave(socket: Socket, { ref }: SimRequest, telegram: Buffer, misdeed: Misdeed): void {
    switch (misdeed.do) {
      case "silent":
        return;
      case "late":
        this.clock.after(misdeed.ms, () => socket.writable && socket.write(packet(telegram)));
        return;
      case "drip":
        void this.drip(socket, singly(packet(telegram)));
        return;
      case "cut":
        socket.write(packet(telegram).subarray(0, misdeed.bytes), () => socket.destroy());
        return;
      case "refuse":
        socket.write(packet(answer(ref, Buffer.alloc(0), Buffer.alloc(0), misdeed.error)));
        return;
      case "raw":
        for (const bytes of misdeed.bytes(telegram)) socket.write(bytes);
    }
  }
}

const offsetOf = ({ area, start }: SimItem): number =>
  area === "timer" || area === "counter" ? start * 2 : start;

function itemsOf(parameters: Buffer): SimItem[] {
  if (parameters[0] !== 4 && parameters[0] !== 5) return [];
  return Array.from({ length: parameters[1]! }, (_, index) => {
    const at = 2 + index * 12;
    const area = AREA_OF.get(parameters[at + 8]!) ?? "db";
    const isCounted = area === "timer" || area === "counter";
    const pointer = parameters.readUIntBE(at + 9, 3);
    return {
      area,
      db: parameters.readUInt16BE(at + 6),
      start: isCounted ? pointer : pointer >> 3,
      bytes: parameters.readUInt16BE(at + 4) * (isCounted ? 2 : 1),
      bit: parameters[at + 3] === 1 ? pointer & 7 : null,
    };
  });
}
