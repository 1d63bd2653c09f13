// The simulated plant: real Modbus TCP on loopback, one port a line, one unit a machine.
// usage: bun server.ts presses=5020 packing=5021 energy=0      (0: any free port; the ready line names it)
import { type IServiceVector, ServerTCP } from "modbus-serial";
import { freePort } from "../free-port.ts";
import { LINES, MACHINES } from "./machines.ts";
import { MachineMemory } from "./memory.ts";

/** Exceptions of the Modbus Application Protocol 1.1b3, chapter 7. */
const ILLEGAL_ADDRESS = { modbusErrorCode: 2 };
const UNIT_ABSENT = { modbusErrorCode: 11 };

function vectorOf(line: (typeof LINES)[number]): IServiceVector {
  const units = new Map(
    MACHINES.filter((machine) => machine.line === line).map((machine) => [
      machine.unit,
      new MachineMemory(machine),
    ]),
  );
  const at = (unit: number): MachineMemory => {
    const memory = units.get(unit);
    if (!memory) throw UNIT_ABSENT;
    memory.refresh(Date.now());
    return memory;
  };
  const words = (area: "holding" | "input", offset: number, length: number, unit: number) => {
    const memory = at(unit);
    return Array.from({ length }, (_, index) => {
      const word = memory.word(area, offset + index);
      if (word === undefined) throw ILLEGAL_ADDRESS;
      return word;
    });
  };
  const bit = (area: "coil" | "discrete", offset: number, unit: number) => {
    const value = at(unit).bit(area, offset);
    if (value === undefined) throw ILLEGAL_ADDRESS;
    return value;
  };
  return {
    getMultipleHoldingRegisters: (offset: number, length: number, unit: number) =>
      words("holding", offset, length, unit),
    getMultipleInputRegisters: (offset: number, length: number, unit: number) =>
      words("input", offset, length, unit),
    getHoldingRegister: (offset: number, unit: number) => words("holding", offset, 1, unit)[0]!,
    getInputRegister: (offset: number, unit: number) => words("input", offset, 1, unit)[0]!,
    getCoil: (offset: number, unit: number) => bit("coil", offset, unit),
    setRegister: (offset: number, value: number, unit: number) => {
      if (!at(unit).write("holding", offset, value)) throw ILLEGAL_ADDRESS;
    },
    setCoil: (offset: number, value: boolean, unit: number) => {
      if (!at(unit).write("coil", offset, value)) throw ILLEGAL_ADDRESS;
    },
    getDiscreteInput: (offset: number, unit: number) => bit("discrete", offset, unit),
  };
}

/** Resolves with the port once the line listens. The library takes port 0 for 502, so a free one is looked up first. */
function listen(line: (typeof LINES)[number], wishedPort: number): Promise<number> {
  const port = wishedPort || freePort();
  const server = new ServerTCP(vectorOf(line), { host: "127.0.0.1", port });
  return new Promise((resolve, reject) => {
    server.on("serverError", (error) => reject(error));
    server.on("socketError", () => {});
    server.on("initialized", () => resolve(port));
  });
}

const wanted = new Map(process.argv.slice(2).map((arg) => arg.split("=") as [string, string]));
const ports: Record<string, number> = {};
try {
  for (const line of LINES) ports[line] = await listen(line, Number(wanted.get(line) ?? 0));
  console.log(JSON.stringify({ event: "plant.ready", ports }));
} catch (error) {
  console.log(JSON.stringify({ event: "plant.failed", message: (error as Error).message }));
  process.exit(1);
}
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(0));
