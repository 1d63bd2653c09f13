import { systemClock } from "@millrace/contract/std/clock";
import { type Framing, ModbusSimulator } from "./simulated-device.ts";
import { SimulatedLine } from "./simulated-line.ts";

export { type Framing, frame, type Misdeed, ModbusSimulator, type SimRequest } from "./simulated-device.ts";

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

/** A device with one value of each type. */
async function deviceOf(framing: Framing) {
  const simulator = await ModbusSimulator.start(systemClock, 0, framing);
  const unit = simulator.unit(1);
  unit.coil[3] = 1;
  unit.discrete[0] = 1;
  // 0x8001 read as each 8 and 16 bit type, and one value of each wider type in big-endian order.
  unit.holding.set([0x8001, 0xfffe, 0x1dc0, 0x8000, 0, 0, 1, 0x7fff, 0xffff, 0xffff, 0xfffe]);
  unit.setFloat("holding", 20, -1.5);
  unit.input.set([0x4009, 0x21fb, 0x5444, 0x2d18, 0x4d69, 0x6c6c, 0x0000]);
  unit.illegal.add("holding:12");
  return {
    simulator,
    settings: {
      transport: framing === "tcp" ? "tcp" : "rtuOverTcp",
      host: "127.0.0.1",
      port: simulator.port,
      timeoutMs: 2_000,
    } as Record<string, unknown>,
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
      { settings: { host: "plc", transport: "serial" }, setting: "serialPort" },
      { settings: { host: "plc", baudRate: 9_601 }, setting: "baudRate" },
      { settings: { transport: "rtuOverTcp", serialPort: "/dev/ttyS0" }, setting: "host" },
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

export const conformanceDevice = () => deviceOf("tcp");

async function serialDevice() {
  const device = await deviceOf("rtu");
  const line = await SimulatedLine.to(device.simulator.port);
  return {
    ...device,
    settings: {
      transport: "serial",
      serialPort: line.path,
      // A pseudo terminal knows no parity.
      parity: "none",
      baudRate: 115_200,
      timeoutMs: 2_000,
    },
    socketsOpen: () => line.opened(),
    connections: () => line.opened(),
    cut: () => line.replug(),
    async close() {
      await line.close();
      await device.close();
    },
  };
}

/** The same promises over the other ways to a device. */
export const conformanceVariants = {
  "TCP with the frames of a serial line": () => deviceOf("rtu"),
  "a serial port": serialDevice,
};
