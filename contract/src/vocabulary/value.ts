import { type Static, Type } from "@sinclair/typebox";

/** What a tag holds in the plant. The driver's address says how its bytes lie on the wire. */
export const DataType = Type.Union(
  [
    Type.Literal("boolean"),
    Type.Literal("int8"),
    Type.Literal("uint8"),
    Type.Literal("int16"),
    Type.Literal("uint16"),
    Type.Literal("int32"),
    Type.Literal("uint32"),
    Type.Literal("int64"),
    Type.Literal("uint64"),
    Type.Literal("float32"),
    Type.Literal("float64"),
    Type.Literal("text"),
  ],
  { description: "Type of the value as the device holds it" },
);
export type DataType = Static<typeof DataType>;

/** How a value is stored and moved. `int64` and `uint64` are exact over their whole range. */
export type ValueKind = "boolean" | "int64" | "uint64" | "double" | "text";

/** A value in memory. `bigint` exactly for the kinds int64 and uint64; null means "no value", with the quality saying why. */
export type TagValue = boolean | number | bigint | string | null;

/** Storage kind of a tag. A scaled tag is always a double, whatever the device holds. */
export function valueKindOf(dataType: DataType, scaled: boolean): ValueKind {
  if (dataType === "boolean" || dataType === "text") return dataType;
  if (scaled) return "double";
  return dataType === "int64" || dataType === "uint64" ? dataType : "double";
}

/**
 * A value in JSON. 64-bit integers travel as decimal strings, because JSON readers round them; NaN and the infinities
 * travel as the strings "NaN", "Infinity", "-Infinity", because JSON has no word for them. The tag's data type says
 * how to read the string.
 */
export const JsonValue = Type.Union([Type.Boolean(), Type.Number(), Type.String(), Type.Null()], {
  description:
    "64-bit integers as decimal strings; NaN and infinities as strings; null when there is no value",
});
export type JsonValue = Static<typeof JsonValue>;

export function valueToJson(value: TagValue): JsonValue {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return value;
}
