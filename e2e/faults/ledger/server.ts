// The source whose word counts: a Modbus TCP device of our own. Unit 1 holds a counter that rises with every read it
// answers, and each value is in the ledger file before the answer leaves. Unit 2 answers any address with noise.
// usage: bun server.ts <port> <ledger file>
import { openSync, writeSync } from "node:fs";
import type { Socket } from "bun";

const COUNTER_UNIT = 1;
const NOISE_UNIT = 2;
/** Modbus Application Protocol 1.1b3: function 3 reads holding registers; exceptions in chapter 7. */
const READ_HOLDING = 3;
const ILLEGAL_FUNCTION = 1;
const ILLEGAL_ADDRESS = 2;
const UNIT_ABSENT = 11;
const HEADER_BYTES = 7;
const COUNTER_REGISTERS = 2;
const SYMBOLS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

interface Line {
  rest: Buffer;
}

const [port, file] = process.argv.slice(2);
if (!port || !file) throw new Error("usage: server.ts <port> <ledger file>");
const ledger = openSync(file, "a", 0o600);
let counter = 0;

function counterRegisters(address: number, count: number): Buffer | null {
  if (address !== 0 || count !== COUNTER_REGISTERS) return null;
  counter++;
  // Written before the answer leaves: what a reader may have seen is in the ledger, whatever happens next.
  writeSync(ledger, `${counter} ${Date.now()}\n`);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(counter);
  return bytes;
}

function noiseRegisters(count: number): Buffer {
  const bytes = crypto.getRandomValues(Buffer.alloc(count * 2));
  for (let i = 0; i < bytes.length; i++) bytes[i] = SYMBOLS.charCodeAt(bytes[i]! & 63);
  return bytes;
}

/** Answer to one request, from function code on. */
function answer(unit: number, pdu: Buffer): Buffer {
  const refuse = (code: number) => Buffer.from([pdu[0]! | 0x80, code]);
  if (unit !== COUNTER_UNIT && unit !== NOISE_UNIT) return refuse(UNIT_ABSENT);
  if (pdu[0] !== READ_HOLDING || pdu.length < 5) return refuse(ILLEGAL_FUNCTION);
  const count = pdu.readUInt16BE(3);
  const data = unit === NOISE_UNIT ? noiseRegisters(count) : counterRegisters(pdu.readUInt16BE(1), count);
  return data === null
    ? refuse(ILLEGAL_ADDRESS)
    : Buffer.concat([Buffer.from([READ_HOLDING, data.length]), data]);
}

function take(socket: Socket<Line>, chunk: Buffer): void {
  let bytes = Buffer.concat([socket.data.rest, chunk]);
  while (bytes.length >= HEADER_BYTES) {
    const end = 6 + bytes.readUInt16BE(4);
    if (bytes.length < end) break;
    const body = answer(bytes[6]!, bytes.subarray(HEADER_BYTES, end));
    const header = Buffer.from(bytes.subarray(0, HEADER_BYTES));
    header.writeUInt16BE(body.length + 1, 4);
    socket.write(Buffer.concat([header, body]));
    bytes = bytes.subarray(end);
  }
  socket.data.rest = Buffer.from(bytes);
}

Bun.listen<Line>({
  hostname: "127.0.0.1",
  port: Number(port),
  socket: {
    open(socket) {
      socket.data = { rest: Buffer.alloc(0) };
    },
    data: take,
    error() {},
  },
});
console.log(JSON.stringify({ event: "ledger.ready" }));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(0));
