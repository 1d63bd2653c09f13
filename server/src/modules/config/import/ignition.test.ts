import { expect, test } from "bun:test";
import { AppError } from "@millrace/contract/error/app-error";
import { readIgnition } from "./ignition.ts";
import { ignitionPlace } from "./ignition-address.ts";
import type { ReadSheet } from "./sheet.ts";

const rowsOf = ({ sheet }: ReadSheet) =>
  Object.fromEntries(
    sheet.rows.map(({ cells }) => {
      const { name, ...rest } = Object.fromEntries([...cells].map(([key, { text }]) => [key, text]));
      return [name, rest];
    }),
  );
const opc = (name: string, opcItemPath: unknown, more: object = {}) => ({
  name,
  tagType: "AtomicTag",
  valueSource: "opc",
  opcServer: "Ignition OPC UA Server",
  opcItemPath,
  ...more,
});

test("addresses: areas, types, bits, unit numbers, texts", () => {
  const table: [string, string, string][] = [
    ["ns=1;s=[PLC]HR100", "400100", "int16"],
    ["[PLC]HRUS1", "400001", "uint16"],
    ["[PLC]HRF65535", "465535", "float32"],
    ["[PLC]3.IRUI7", "300007 unit=3", "uint32"],
    ["[PLC]HRI_641024", "401024", "int64"],
    ["[PLC]HRUI_6410", "400010", "uint64"],
    ["[PLC]HRD5", "400005", "float64"],
    ["[PLC]C1", "000001", "boolean"],
    ["[PLC]DI12", "100012", "boolean"],
    ["[PLC]HR5.15", "400005.15", "boolean"],
    ["[PLC]1.HRS1024:20", "401024 length=20 unit=1", "text"],
  ];
  for (const [there, address, dataType] of table)
    expect(ignitionPlace(there, 1)).toMatchObject({ address, dataType, device: "PLC" });
  expect(ignitionPlace("[PLC]HR0", 0)).toMatchObject({ address: "400001" });
  for (const odd of [
    "[PLC]HR0",
    "[PLC]HRBCD5",
    "[PLC]HRF5.1",
    "[PLC]HRS5",
    "[PLC]N7:0",
    "ns=2;s=a",
    "[PLC]HR70000",
  ])
    expect(ignitionPlace(odd, 1)).toHaveProperty("left");
});

test("a tree of folders becomes tags with their folders in the name, and everything usual is filled in", () => {
  const sheet = readIgnition(
    {
      name: "Line",
      tagType: "Folder",
      tags: [
        {
          name: "Press",
          tagType: "Folder",
          tags: [
            opc("Temp", "ns=1;s=[PLC]HR10", {
              dataType: "Float4",
              engUnit: "°C",
              engHigh: 250,
              scaleMode: "Linear",
              rawHigh: 4_095,
              scaledHigh: 100,
              documentation: "Oil",
              deadband: 0.5,
            }),
            opc("Fault", "[PLC]C3", { dataType: "Boolean", engHigh: 1, alarms: [{}, {}] }),
          ],
        },
        opc("Speed", "[PLC]HRF20", { deadband: 2, deadbandMode: "Percent", tooltip: "rpm of the motor" }),
      ],
    },
    null,
  );
  expect(sheet.problems).toEqual([]);
  expect(rowsOf(sheet)).toEqual({
    "Press - Temp": {
      address: "400010",
      dataType: "int16",
      unit: "°C",
      description: "Oil",
      "scale factor": String(100 / 4_095),
      "scale offset": "0",
      "range low": "0",
      "range high": "250",
      deadband: "0.5",
    },
    "Press - Fault": { address: "000003", dataType: "boolean" },
    Speed: { address: "400020", dataType: "float32", description: "rpm of the motor", deadband: "2" },
  });
  expect(sheet.notes).toEqual([
    "Read as a tag export from Ignition: 3 tags, 0 left out.",
    expect.stringContaining("counted from 1"),
    "Press/Fault: 2 alarms are not taken over.",
  ]);
});

test("what has no place is told item by item", () => {
  const sheet = readIgnition(
    {
      tags: [
        opc("Memory", undefined, { valueSource: "memory" }),
        opc("Bound", { bindType: "parameter", binding: "[{Device}]HR1" }),
        opc("Root", "[A]HR1", { scaleMode: "SquareRoot" }),
        opc("Other", "ns=2;s=Channel1.Device1.Tag"),
        opc("Whole", "[B]HR0", { dataType: "Boolean", enabled: false, eventScripts: [] }),
        opc("Next", "[A]HR1"),
        { name: "Motor", tagType: "UdtType", tags: [opc("x", "[A]HR1")] },
        opc("Flat", "[A]HR9", { scaleMode: "Linear", rawHigh: 0 }),
        opc("Knob", "[A]HR10", { engUnit: { bindType: "parameter", binding: "{Unit}" } }),
        opc("Dial", "[A]HR11", {
          scaleMode: "Linear",
          rawHigh: { bindType: "parameter", binding: "{High}" },
        }),
        "odd",
      ],
    },
    null,
  );
  expect(rowsOf(sheet).Knob).toEqual({ address: "400011", dataType: "int16" });
  expect(rowsOf(sheet)).toMatchObject({ Whole: { address: "400001" }, Next: { address: "400002" } });
  expect(sheet.problems.map(({ where, column }) => [where, column])).toEqual([["Flat", "rawHigh"]]);
  expect(sheet.notes).toEqual([
    "Read as a tag export from Ignition: 9 tags, 5 left out.",
    expect.stringContaining("counted from 0"),
    expect.stringContaining("2 devices (A, B)"),
    expect.stringContaining("Motor: left out: a UDT definition"),
    "The root: an entry that is no tag was left out.",
    expect.stringContaining('Memory: left out: its value comes from "memory"'),
    expect.stringContaining("Bound: left out: its address is bound"),
    expect.stringContaining('Root: left out: scaling "SquareRoot"'),
    expect.stringContaining("Other: left out"),
    expect.stringContaining("Whole: a whole register"),
    "Whole: its scripts are not taken over.",
    "Whole: it was switched off there; here it is read.",
    "Knob: its engUnit is bound to a parameter and was not read.",
    "Dial: left out: its rawHigh is bound to a parameter.",
  ]);
});

test("other JSON is refused, and so is a tree without end", () => {
  const code = (json: unknown): string => {
    try {
      readIgnition(json, null);
    } catch (thrown) {
      if (thrown instanceof AppError) return thrown.code;
    }
    return "taken";
  };
  for (const json of [null, 5, "x", { millrace: 1 }, [[]]]) expect(code(json)).toBe("request.malformed");
  let deep: object = opc("T", "[A]HR1");
  for (let i = 0; i < 60; i += 1) deep = { name: `F${i}`, tagType: "Folder", tags: [deep] };
  expect(code(deep)).toBe("request.tooLarge");
});
