/**
 * Writes we send, and how much of the PDU their answer repeats (V1.1b3, 6.5, 6.6, 6.11, 6.12, 6.16): all of it, or
 * function, address and count.
 */
const ECHO_BYTES: Readonly<Record<number, number>> = { 5: 5, 6: 5, 15: 5, 16: 5, 22: 7 };
export const CRC_BYTES = 2;

/** What a good answer to a request must look like. */
export interface Question {
  unit: number;
  functionCode: number;
  /** Data bytes a good answer to a read must carry. */
  byteCount: number;
  /** The PDU a good answer to a write must be; null for a read. */
  echo: Buffer | null;
}

export const isRead = (functionCode: number): boolean => functionCode >= 1 && functionCode <= 4;

/** @param rtu unit, PDU and checksum, as the library builds them. @throws Error for a function we do not use */
export function questionOf(rtu: Buffer): Question {
  const functionCode = rtu[1]!;
  const echoBytes = ECHO_BYTES[functionCode];
  if (!isRead(functionCode) && echoBytes === undefined)
    throw new Error(`function ${functionCode} is not used here`);
  const count = rtu.readUInt16BE(4);
  return {
    unit: rtu[0]!,
    functionCode,
    byteCount: functionCode <= 2 ? Math.ceil(count / 8) : count * 2,
    echo: echoBytes === undefined ? null : Buffer.from(rtu.subarray(1, 1 + echoBytes)),
  };
}

/**
 * What is wrong with an answer, in words; null when it is the answer.
 * @param body unit and PDU
 */
export function mismatch(question: Question, body: Buffer): string | null {
  const unit = body[0]!;
  const functionCode = body[1]!;
  const pduBytes = body.length - 1;
  if (unit !== question.unit) return `unit ${unit} answered for unit ${question.unit}`;
  if (functionCode === (question.functionCode | 0x80)) {
    return pduBytes === 2 ? null : `an exception of ${pduBytes} bytes`;
  }
  if (functionCode !== question.functionCode) {
    return `function ${functionCode} in the answer to function ${question.functionCode}`;
  }
  if (question.echo !== null) {
    return question.echo.equals(body.subarray(1)) ? null : "a write that is not the one asked for";
  }
  if (body[2] !== question.byteCount || pduBytes !== 2 + question.byteCount) {
    return `${pduBytes - 2} data bytes, said to be ${body[2]}, where ${question.byteCount} were asked for`;
  }
  return null;
}

/** Unit and PDU → the frame of a serial line, with its checksum. */
export function withCrc(body: Uint8Array): Buffer {
  const rtu = Buffer.allocUnsafe(body.length + CRC_BYTES);
  rtu.set(body);
  rtu.writeUInt16LE(crc16(rtu, 0, body.length), body.length);
  return rtu;
}

const CRC_TABLE = Uint16Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  return crc;
});

/** CRC-16 of MODBUS over Serial Line V1.02, 6.2.2. */
export function crc16(bytes: Buffer, from: number, end: number): number {
  let crc = 0xffff;
  for (let index = from; index < end; index++) crc = (crc >> 8) ^ CRC_TABLE[(crc ^ bytes[index]!) & 0xff]!;
  return crc;
}
