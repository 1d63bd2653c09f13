import { AREA, type S7Area } from "@millrace/contract/driver/s7/address";

/** A stretch of one area: what one item of a request reads. In timers and counters `start` and `count` are numbers. */
export interface Range {
  area: S7Area;
  db: number;
  start: number;
  count: number;
}

/** An item of a write: bytes for a range, or one bit. */
export interface WriteItem extends Range {
  bit: number | null;
  bytes: Buffer;
}

/** Header of a request (10) and the function with the number of items (2). */
export const REQUEST_BYTES = 12;
/** Header of an answer (12) and the function with the number of items (2). */
export const REPLY_BYTES = 14;
/** One item in a request: the S7 ANY pointer. */
export const ITEM_BYTES = 12;
/** Return code, transport size and length before the bytes of an item. */
export const ITEM_HEAD_BYTES = 4;
/** Most items a CPU takes in one request. */
export const ITEMS_MAX = 20;

const PROTOCOL = 0x32;
const JOB = 1;
const ACK = 2;
const ACK_DATA = 3;
const USER_DATA = 7;
const FUNCTION = { setup: 0xf0, read: 0x04, write: 0x05 } as const;
const SIZE = { bit: 1, byte: 2, counter: 0x1c, timer: 0x1d } as const;
/** How an answer says the length of its bytes: in bits, or in bytes. */
const IN_BITS = 4;
const IN_BYTES = 9;
const ONE_BIT = 3;

export const OK = 0xff;

const isNumbered = (area: S7Area): boolean => area === "timer" || area === "counter";

/** Bytes the values of a range take. */
export const bytesOf = ({ area, count }: Pick<Range, "area" | "count">): number =>
  isNumbered(area) ? count * 2 : count;

function job(ref: number, parameters: Buffer, data: Buffer = Buffer.alloc(0), kind = JOB): Buffer {
  const bytes = Buffer.alloc(10 + parameters.length + data.length);
  bytes[0] = PROTOCOL;
  bytes[1] = kind;
  bytes.writeUInt16BE(ref, 4);
  bytes.writeUInt16BE(parameters.length, 6);
  bytes.writeUInt16BE(data.length, 8);
  parameters.copy(bytes, 10);
  data.copy(bytes, 10 + parameters.length);
  return bytes;
}

/** Asks for the telegram length and the number of requests under way. */
export function setupRequest(ref: number, pduBytes: number, jobs: number): Buffer {
  const parameters = Buffer.alloc(8);
  parameters[0] = FUNCTION.setup;
  parameters.writeUInt16BE(jobs, 2);
  parameters.writeUInt16BE(jobs, 4);
  parameters.writeUInt16BE(pduBytes, 6);
  return job(ref, parameters);
}

function pointer(into: Buffer, at: number, { area, db, start, count }: Range, bit: number | null): void {
  into[at] = 0x12;
  into[at + 1] = 0x0a;
  into[at + 2] = 0x10;
  into[at + 3] = bit !== null ? SIZE.bit : isNumbered(area) ? SIZE[area as "timer" | "counter"] : SIZE.byte;
  into.writeUInt16BE(count, at + 4);
  into.writeUInt16BE(db, at + 6);
  into[at + 8] = AREA[area];
  into.writeUIntBE(isNumbered(area) ? start : start * 8 + (bit ?? 0), at + 9, 3);
}

export function readRequest(ref: number, ranges: readonly Range[]): Buffer {
  const parameters = Buffer.alloc(2 + ranges.length * ITEM_BYTES);
  parameters[0] = FUNCTION.read;
  parameters[1] = ranges.length;
  for (const [index, range] of ranges.entries()) pointer(parameters, 2 + index * ITEM_BYTES, range, null);
  return job(ref, parameters);
}

export function writeRequest(ref: number, items: readonly WriteItem[]): Buffer {
  const parameters = Buffer.alloc(2 + items.length * ITEM_BYTES);
  parameters[0] = FUNCTION.write;
  parameters[1] = items.length;
  const data: Buffer[] = [];
  for (const [index, item] of items.entries()) {
    pointer(parameters, 2 + index * ITEM_BYTES, item, item.bit);
    const last = index === items.length - 1;
    const head = Buffer.alloc(ITEM_HEAD_BYTES);
    const sized = item.bit !== null ? ONE_BIT : isNumbered(item.area) ? IN_BYTES : IN_BITS;
    head[1] = sized;
    head.writeUInt16BE(sized === IN_BITS ? item.bytes.length * 8 : item.bytes.length, 2);
    data.push(head, item.bytes);
    if (!last && item.bytes.length % 2 === 1) data.push(Buffer.alloc(1));
  }
  return job(ref, parameters, Buffer.concat(data));
}

/** Asks a 300 or 400 what it says of a data block. */
export function blockRequest(ref: number, db: number): Buffer {
  const parameters = Buffer.from([0x00, 0x01, 0x12, 0x04, 0x11, 0x43, 0x03, 0x00]);
  const data = Buffer.from(`\xff\x09\x00\x080A${String(db).padStart(5, "0")}A`, "latin1");
  return job(ref, parameters, data, USER_DATA);
}

/** An answer, taken apart as far as all kinds are alike. */
export interface Reply {
  kind: number;
  ref: number;
  /** Class and code of a refusal of the whole request; 0 for none. */
  error: number;
  parameters: Buffer;
  data: Buffer;
}

/** Bytes of one telegram → reply, or what is wrong with them. */
export function parseReply(pdu: Buffer): Reply | string {
  if (pdu.length < 10 || pdu[0] !== PROTOCOL) return "a telegram that is not S7";
  const kind = pdu[1]!;
  if (kind !== ACK && kind !== ACK_DATA && kind !== USER_DATA) return `a telegram of kind ${kind}`;
  const head = kind === USER_DATA ? 10 : 12;
  const parameterBytes = pdu.readUInt16BE(6);
  const dataBytes = pdu.readUInt16BE(8);
  if (head + parameterBytes + dataBytes !== pdu.length)
    return `${pdu.length} bytes, said to be ${head + parameterBytes + dataBytes}`;
  return {
    kind,
    ref: pdu.readUInt16BE(4),
    error: kind === USER_DATA ? 0 : pdu.readUInt16BE(10),
    parameters: pdu.subarray(head, head + parameterBytes),
    data: pdu.subarray(head + parameterBytes),
  };
}

/** @returns what the CPU grants; a text when the answer is none to this question. */
export function parseSetup({ kind, parameters }: Reply): { pduBytes: number; jobs: number } | string {
  if (kind !== ACK_DATA || parameters.length !== 8 || parameters[0] !== FUNCTION.setup)
    return "an answer that is not to the setup";
  const jobs = Math.min(parameters.readUInt16BE(2), parameters.readUInt16BE(4));
  return { pduBytes: parameters.readUInt16BE(6), jobs: Math.max(1, jobs) };
}

/** What came for one range: its bytes, or the code by which the CPU refuses it. */
export type ItemReply = { code: typeof OK; bytes: Buffer } | { code: number; bytes: null };

/** @returns one entry for each range, in their order; a text when the answer is not to this request. */
export function parseRead({ kind, parameters, data }: Reply, ranges: readonly Range[]): ItemReply[] | string {
  if (kind !== ACK_DATA || parameters.length !== 2 || parameters[0] !== FUNCTION.read)
    return "an answer that is not to a read";
  if (parameters[1] !== ranges.length) return `${parameters[1]} items where ${ranges.length} were asked for`;
  const items: ItemReply[] = [];
  let at = 0;
  for (const [index, range] of ranges.entries()) {
    if (at + ITEM_HEAD_BYTES > data.length) return "less data than items";
    const code = data[at]!;
    if (code !== OK) {
      items.push({ code, bytes: null });
      at += ITEM_HEAD_BYTES;
      continue;
    }
    const wanted = bytesOf(range);
    const sized = data[at + 1]!;
    const length = data.readUInt16BE(at + 2);
    if (sized !== IN_BITS && sized !== IN_BYTES) return `data of size kind ${sized}`;
    if (length !== (sized === IN_BITS ? wanted * 8 : wanted))
      return `${length} ${sized === IN_BITS ? "bits" : "bytes"} where ${wanted} bytes were asked for`;
    at += ITEM_HEAD_BYTES;
    if (at + wanted > data.length) return "data cut short";
    items.push({ code: OK, bytes: data.subarray(at, at + wanted) });
    // Every item begins at an even byte.
    at += wanted + (index < ranges.length - 1 ? wanted & 1 : 0);
  }
  // Some devices fill up the last item too.
  return at === data.length || (at + 1 === data.length && at % 2 === 1)
    ? items
    : `${data.length - at} bytes behind the data`;
}

/** @returns one code for each item, `OK` for those written; a text when the answer is not to this request. */
export function parseWrite({ kind, parameters, data }: Reply, count: number): number[] | string {
  if (kind !== ACK_DATA || parameters.length !== 2 || parameters[0] !== FUNCTION.write)
    return "an answer that is not to a write";
  if (parameters[1] !== count || data.length !== count)
    return `${data.length} items where ${count} were asked for`;
  return [...data];
}

/** Length of a data block and the time of its declaration, as a text to compare; null facts: the CPU does not tell. */
export function parseBlock({ kind, parameters, data }: Reply): {
  facts: { bytes: number; declared: string } | null;
} {
  const isAnswer = kind === USER_DATA && parameters.length === 12 && parameters.readUInt16BE(10) === 0;
  if (!isAnswer || data.length < 46 || data[0] !== OK) return { facts: null };
  return { facts: { bytes: data.readUInt16BE(44), declared: data.toString("hex", 32, 38) } };
}
