import { expect, test } from "bun:test";
import fc from "fast-check";
import { AppError } from "../../error/app-error.ts";
import type { DataType } from "../../vocabulary/value.ts";
import { decodeSettings } from "../settings.ts";
import { formatAddress, parseAddress } from "./address.ts";
import { s7Declaration as s7 } from "./declaration.ts";
import { S7_FAMILIES, tsapsOf } from "./settings.ts";
import { S7_TYPES, type S7TypeName, typeRow } from "./types.ts";

const settings = (over: object = {}) => decodeSettings(s7, { host: "plc", ...over });

const SAME: [DataType, ...string[]][] = [
  ["boolean", "DB1.DBX4.3", "DB1.X4.3", "db1,x4.3", "DB1.BOOL4.3", "DB1.DBX0.0[35]"],
  ["uint16", "DB1.DBW2", "DB1.WORD2", "DB1,W2"],
  ["float32", "DB1.REAL4", "DB1,R4", "DB1.REAL0[1]"],
  ["text", "DB10.STRING20.32", "DB10,S20.32"],
  ["text", "DB10.STRING88.32", "DB10.STRING20.32[2]"],
  ["int16", "IW64", "EW64"],
  ["int16", "QW64", "AW64"],
  ["boolean", "I0.0", "E0.0"],
  ["boolean", "Q0.1", "A0.1"],
  ["int16", "PIW256", "PEW256"],
  ["uint16", "C5", "Z5"],
  ["float32", "MREAL20"],
  ["uint32", "DB1.S5TIME10"],
  ["text", "DB1.DT10", "DB1.DATE_AND_TIME10"],
];
test.each(SAME)("as %s all notations of %s are one place", (dataType, canonical, ...others) => {
  for (const text of [canonical, ...others]) {
    expect(formatAddress(parseAddress(text, dataType, settings()))).toBe(canonical);
  }
});

const WRONG: [text: string, type: DataType, right: string, family?: string][] = [
  ["", "uint16", "write e.g."],
  ["DB1", "uint16", "e.g. DB1.DBW0"],
  ["DB0.DBW0", "uint16", "from 1 to 65535"],
  ["DB1.DBX0.8", "boolean", "from 0 to 7"],
  ["DB1.DBX0", "boolean", "name the bit"],
  ["DB1.DBW2", "float32", "float32 is REAL"],
  ["DB1.INT2", "uint16", "INT is read as int16"],
  ["DB1.STRING4", "text", "add what stands in the declaration"],
  ["DB1.STRING4.255", "text", "from 1 to 254"],
  ["DB1.FOO4", "uint16", "known are"],
  ["DB1.REAL0[0..9]", "float32", "a tag for each element"],
  ["Motor.Speed", "float32", "OPC UA"],
  ['"Data".Speed', "float32", "OPC UA"],
  ["DB5.Speed", "float32", "OPC UA"],
  ["M10", "boolean", "a bit is M10.0"],
  ["MW20.3", "uint16", "only bits and texts"],
  ["VW0", "uint16", "LOGO! and S7-200"],
  ["AI1", "int16", "VW1032", "LOGO"],
  ["T5", "uint32", "data blocks", "1200"],
  ["T5", "float32", "a timer is read as uint32"],
  ["MW0 mark=1", "uint16", "data block it lies in"],
  ["DB1.REAL0 mark=x", "float32", "mark=17"],
  ["DB1.DBW0 together=a together=b", "uint16", "give it once"],
  ["DB1.DBW0 order=AB", "uint16", "known options"],
  ["DB1.DBD2097150", "uint32", "choose a smaller address"],
];
test.each(WRONG)("%s as %s is refused with what would be right", (text, type, right, family = "1500") => {
  let thrown: unknown;
  try {
    parseAddress(text, type, settings({ family }));
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(AppError);
  expect((thrown as AppError).code).toBe("address.illegal");
  expect((thrown as AppError).message).toContain(right);
});

test("V memory of the small ones is data block 1, and stays V in its text", () => {
  for (const family of ["LOGO", "200"]) {
    const address = parseAddress("VW100", "uint16", settings({ family }));
    expect([address.area, address.db, formatAddress(address)]).toEqual(["db", 1, "VW100"]);
  }
});

test("5b.2 each family is called at its usual place, and every setting can say otherwise", () => {
  const remote = (over: object) => tsapsOf(settings(over)).remote.toString(16);
  expect(S7_FAMILIES.map((family) => remote({ family }))).toEqual([
    "201",
    "201",
    "203",
    "202",
    "200",
    "1001",
  ]);
  expect(remote({ family: "400", rack: 1, slot: 4, connectionType: "basic" })).toBe("324");
  expect(remote({ remoteTsap: "03.01" })).toBe("301");
  expect(tsapsOf(settings({ localTsap: "0300" })).local).toBe(0x300);
  const key = (over: object) => s7.connectionKey(settings(over));
  expect(key({})).toBe(key({ host: "PLC", family: "1200", gapMax: 0 }));
  expect(key({})).not.toBe(key({ slot: 2 }));
});

const named = (Object.keys(S7_TYPES) as S7TypeName[]).filter(
  (name) => name !== "TIMER" && name !== "COUNTER",
);
const written: fc.Arbitrary<[DataType, string]> = fc
  .record({
    type: fc.constantFrom(...named),
    which: fc.nat(2),
    prefix: fc.constantFrom("DB7.", "M", "I", "Q", "PI"),
    start: fc.nat(60_000),
    bit: fc.nat(7),
    length: fc.integer({ min: 1, max: 254 }),
    element: fc.option(fc.nat(50)),
    together: fc.option(fc.constantFrom("a", "recipe-2")),
  })
  .map(({ type, which, prefix, start, bit, length, element, together }) => {
    const { dataTypes, charsMax } = typeRow(type);
    const behind = type === "BOOL" ? `.${bit}` : charsMax === undefined ? "" : `.${length}`;
    const index = element === null ? "" : `[${element}]`;
    const option = together === null ? "" : ` together=${together}`;
    return [dataTypes[which % dataTypes.length]!, `${prefix}${type}${start}${behind}${index}${option}`];
  });

test("what we write of an address is read back as the same address", () => {
  const own = settings();
  fc.assert(
    fc.property(written, ([type, text]) => {
      const address = parseAddress(text, type, own);
      expect(parseAddress(formatAddress(address), type, own)).toEqual(address);
    }),
  );
});
