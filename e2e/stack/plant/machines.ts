import type { ProfileTag } from "@millrace/contract/vocabulary/tag";
import { bigCounter, constant, counter, cycle, type Signal, wave, words } from "./signals.ts";

/** Where a simulated value lies in its machine, beside the tag that reads it. */
interface PlantTag extends ProfileTag {
  at: { area: "holding" | "input" | "coil" | "discrete"; offset: number; wordSwap?: boolean; bit?: number };
  signal: (seed: number) => Signal;
}

export interface MachineKind {
  profile: string;
  settings: Record<string, unknown>;
  tags: readonly PlantTag[];
}

const SHIFT_START_MS = Date.UTC(2026, 0, 1);

const PRESS: MachineKind = {
  profile: "Hydraulic press",
  settings: { timeoutMs: 1_000 },
  tags: [
    {
      name: "Oil temperature",
      address: "holding:0",
      dataType: "float32",
      unit: "°C",
      deadband: 0.1,
      range: { low: 0, high: 120 },
      description: "Hydraulic oil at the tank",
      at: { area: "holding", offset: 0 },
      signal: (seed) => wave(seed, 52, 6, 600_000, 0.4),
    },
    {
      name: "Oil pressure",
      address: "holding:2",
      dataType: "float32",
      unit: "bar",
      deadband: 0.5,
      range: { low: 0, high: 350 },
      description: "Main cylinder",
      at: { area: "holding", offset: 2 },
      signal: (seed) => wave(seed + 1, 180, 60, 8_000, 4),
    },
    {
      name: "Strokes",
      address: "holding:4",
      dataType: "uint32",
      unit: "",
      description: "Since 1 January",
      at: { area: "holding", offset: 4 },
      signal: (seed) => counter(4_000 + seed * 500, SHIFT_START_MS),
    },
    {
      name: "Oil temperature setpoint",
      address: "holding:6",
      dataType: "int16",
      unit: "°C",
      scale: { factor: 0.1, offset: 0 },
      description: "Held in tenths by the press",
      write: { min: 20, max: 90, step: 0.5 },
      at: { area: "holding", offset: 6 },
      signal: () => constant(520),
    },
    {
      name: "Running",
      address: "holding:7.0",
      dataType: "boolean",
      unit: "",
      description: "Bit 0 of the state word",
      at: { area: "holding", offset: 7, bit: 0 },
      signal: (seed) => cycle(seed, 90_000, 0.8),
    },
    {
      name: "Job",
      address: "holding:8 length=8",
      dataType: "text",
      unit: "",
      description: "Order on the machine",
      at: { area: "holding", offset: 8 },
      signal: (seed) => words(120_000, `ORD-${1_040 + seed}`, `ORD-${1_041 + seed}`),
    },
    {
      name: "Motor current",
      address: "input:0",
      dataType: "float32",
      unit: "A",
      deadband: 0.2,
      at: { area: "input", offset: 0 },
      signal: (seed) => wave(seed + 2, 38, 9, 8_000, 1),
    },
    {
      name: "Vibration",
      address: "input:2",
      dataType: "uint16",
      unit: "mm/s",
      deadband: 0.05,
      scale: { factor: 0.01, offset: 0 },
      range: { low: 0, high: 20 },
      at: { area: "input", offset: 2 },
      signal: (seed) => wave(seed + 3, 280, 60, 45_000, 30),
    },
    {
      name: "Hydraulics on",
      address: "coil:0",
      dataType: "boolean",
      unit: "",
      write: { class: 3, atMachine: true },
      at: { area: "coil", offset: 0 },
      signal: () => constant(true),
    },
    {
      name: "Guard closed",
      address: "discrete:0",
      dataType: "boolean",
      unit: "",
      at: { area: "discrete", offset: 0 },
      signal: (seed) => cycle(seed + 4, 30_000, 0.93),
    },
  ],
};

const PACKER: MachineKind = {
  profile: "Packing machine",
  settings: { timeoutMs: 1_000 },
  tags: [
    {
      name: "Speed",
      address: "holding:0",
      dataType: "float32",
      unit: "1/min",
      deadband: 0.5,
      at: { area: "holding", offset: 0 },
      signal: (seed) => wave(seed, 118, 4, 240_000, 2),
    },
    {
      name: "Packs",
      address: "holding:2",
      dataType: "uint64",
      unit: "",
      description: "64-bit counter, exact",
      at: { area: "holding", offset: 2 },
      signal: () => bigCounter(500, 9_007_199_254_740_993n),
    },
    {
      name: "Rejects",
      address: "holding:6",
      dataType: "uint32",
      unit: "",
      at: { area: "holding", offset: 6 },
      signal: () => counter(37_000, SHIFT_START_MS),
    },
    {
      name: "Film left",
      address: "holding:8",
      dataType: "float32",
      unit: "%",
      deadband: 0.2,
      range: { low: 0, high: 100 },
      at: { area: "holding", offset: 8 },
      signal: (seed) => wave(seed + 5, 55, 40, 1_800_000, 0),
    },
    {
      name: "State",
      address: "holding:10 length=12",
      dataType: "text",
      unit: "",
      at: { area: "holding", offset: 10 },
      signal: () => words(45_000, "RUNNING", "RUNNING", "STARVED", "RUNNING", "BLOCKED"),
    },
    {
      name: "Sensor pulses",
      address: "holding:22",
      dataType: "uint32",
      unit: "",
      description: "Counts every 50 ms; the stories check it value by value",
      at: { area: "holding", offset: 22 },
      signal: () => counter(50, SHIFT_START_MS),
    },
  ],
};

const METER: MachineKind = {
  profile: "Energy meter",
  // Many meters put the low word first; the profile says so once for all of its tags.
  settings: { timeoutMs: 1_000, wordOrder: "low-first" },
  tags: [
    ...(["L1", "L2", "L3"] as const).map(
      (phase, index): PlantTag => ({
        name: `Voltage ${phase}`,
        address: `input:${index * 2}`,
        dataType: "float32",
        unit: "V",
        deadband: 0.3,
        range: { low: 200, high: 260 },
        at: { area: "input", offset: index * 2, wordSwap: true },
        signal: (seed) => wave(seed + index, 231, 2, 300_000, 0.8),
      }),
    ),
    {
      name: "Active power",
      address: "input:6",
      dataType: "float32",
      unit: "kW",
      deadband: 0.5,
      at: { area: "input", offset: 6, wordSwap: true },
      signal: (seed) => wave(seed + 7, 86, 22, 120_000, 5),
    },
    {
      name: "Frequency",
      address: "input:8",
      dataType: "float32",
      unit: "Hz",
      deadband: 0.01,
      at: { area: "input", offset: 8, wordSwap: true },
      signal: (seed) => wave(seed + 8, 50, 0.02, 60_000, 0.01),
    },
    {
      name: "Energy",
      address: "input:10",
      dataType: "uint32",
      unit: "kWh",
      scale: { factor: 0.1, offset: 0 },
      at: { area: "input", offset: 10, wordSwap: true },
      signal: () => counter(4_200, SHIFT_START_MS),
    },
  ],
};

/** One simulated machine. Machines with the same `line` sit behind one socket, told apart by their unit number. */
export interface Machine {
  name: string;
  area: string;
  kind: MachineKind;
  line: "presses" | "packing" | "energy";
  unit: number;
  seed: number;
}

export const SITE = "Demo plant";
export const AREAS = ["Pressing", "Packing", "Utilities"] as const;
export const LINES = ["presses", "packing", "energy"] as const;
export const KINDS: readonly MachineKind[] = [PRESS, PACKER, METER];
export const MACHINES: readonly Machine[] = [
  { name: "Press 1", area: "Pressing", kind: PRESS, line: "presses", unit: 1, seed: 1 },
  { name: "Press 2", area: "Pressing", kind: PRESS, line: "presses", unit: 2, seed: 2 },
  { name: "Packer 1", area: "Packing", kind: PACKER, line: "packing", unit: 1, seed: 3 },
  { name: "Main meter", area: "Utilities", kind: METER, line: "energy", unit: 1, seed: 4 },
];
