import { systemClock } from "@millrace/contract/std/clock";
import { S7Simulator } from "./simulated-cpu.ts";

/** What of the device below can be written, and what cannot. */
const CONFORMANCE_WRITES = {
  writable: [
    { address: "DB1.DBX80.3", dataType: "boolean" as const, value: true },
    { address: "M11.0", dataType: "boolean" as const, value: true },
    { address: "DB1.SINT82", dataType: "int8" as const, value: -5 },
    { address: "DB1.DBB83", dataType: "uint8" as const, value: 200 },
    { address: "DB1.INT84", dataType: "int16" as const, value: -2 },
    { address: "DB1.DBW86", dataType: "uint16" as const, value: 65_535 },
    { address: "DB1.DINT88", dataType: "int32" as const, value: -70_000 },
    { address: "DB1.REAL92", dataType: "float32" as const, value: 2.5 },
    { address: "DB1.LREAL96", dataType: "float64" as const, value: 0.1 },
    { address: "DB1.STRING104.10", dataType: "text" as const, value: "Race 7" },
  ],
  unwritable: [
    { address: "DB1.DBW120", dataType: "uint16" as const, value: 1 },
    { address: "DB9.DBW0", dataType: "uint16" as const, value: 1 },
    { address: "DB1.DBB83", dataType: "uint8" as const, value: 256 },
  ],
};

/** A CPU with one value of each type, for the conformance suite. */
export async function conformanceDevice() {
  const simulator = await S7Simulator.start(systemClock);
  const db = simulator.db(1, 200);
  db.set([0x80, 0x01, 0xff, 0xfe, 0x1d, 0xc0], 0);
  db.writeInt32BE(-123_456, 8);
  db.writeUInt32BE(2_147_483_648, 12);
  db.writeFloatBE(-1.5, 16);
  db.writeDoubleBE(Math.PI, 20);
  db.writeBigInt64BE(9_223_372_036_854_775_806n, 28);
  db.writeBigUInt64BE(9_223_372_036_854_775_809n, 36);
  db.set([10, 4, ...Buffer.from("Mill")], 44);
  db.set([0x07, 0xea, 11, 26, 5, 13, 5, 0, 0x0e, 0xe6, 0xb2, 0x80], 60);
  db.writeUInt16BE(0x2127, 72);
  simulator.area("marker", 64).set([0, 0, 0, 0x04], 7);
  simulator.area("input", 8)[0] = 0x01;
  simulator.area("output", 8)[1] = 0x02;
  simulator.area("timer", 64).writeUInt16BE(0x2127, 10);
  simulator.area("counter", 64).writeUInt16BE(0x0042, 6);
  // The code of an address outside its block.
  simulator.illegal.set("db:1:120", 0x05);
  const readable = [
    { address: "DB1.DBX0.7", dataType: "boolean" as const, value: true },
    { address: "M10.2", dataType: "boolean" as const, value: true },
    { address: "E0.0", dataType: "boolean" as const, value: true },
    { address: "A1.1", dataType: "boolean" as const, value: true },
    { address: "DB1.SINT0", dataType: "int8" as const, value: -128 },
    { address: "DB1.DBB1", dataType: "uint8" as const, value: 1 },
    { address: "DB1.INT0", dataType: "int16" as const, value: -32_767 },
    { address: "DB1.DBW0", dataType: "uint16" as const, value: 32_769 },
    { address: "DB1.DINT8", dataType: "int32" as const, value: -123_456 },
    { address: "DB1.DBD12", dataType: "uint32" as const, value: 2_147_483_648 },
    { address: "DB1,REAL16", dataType: "float32" as const, value: -1.5 },
    { address: "DB1.LREAL20", dataType: "float64" as const, value: Math.PI },
    { address: "DB1.LINT28", dataType: "int64" as const, value: 9_223_372_036_854_775_806n },
    { address: "DB1.ULINT36", dataType: "uint64" as const, value: 9_223_372_036_854_775_809n },
    { address: "DB1.STRING44.10", dataType: "text" as const, value: "Mill" },
    { address: "DB1.DTL60", dataType: "text" as const, value: "2026-11-26T13:05:00.25" },
    { address: "DB1.S5TIME72", dataType: "uint32" as const, value: 127_000 },
    { address: "T5", dataType: "uint32" as const, value: 127_000 },
    { address: "Z3", dataType: "uint16" as const, value: 42 },
  ];
  return {
    settings: { host: "127.0.0.1", port: simulator.port, timeoutMs: 2_000 },
    readable,
    ...CONFORMANCE_WRITES,
    illegal: { address: "DB1.DBW120", dataType: "uint16" as const },
    malformed: ["", "DB1", "DB1.DBW", "DB0.DBW0", "MW", "DB1.DBX0.8", "DB1.REAL0[0..3]", "DB1.FOO4", "40001"],
    wrong: [
      { settings: {}, setting: "host" },
      { settings: { host: "plc", port: 0 }, setting: "port" },
      { settings: { host: "plc", family: "S5" }, setting: "family" },
      { settings: { host: "plc", slot: 32 }, setting: "slot" },
      { settings: { host: "plc", pduMax: 10 }, setting: "pduMax" },
      { settings: { host: "plc", remoteTsap: "3" }, setting: "remoteTsap" },
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
