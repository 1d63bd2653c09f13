import { customType, timestamp } from "drizzle-orm/pg-core";

export const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => "bytea" });

/**
 * An object or an array as jsonb. Drizzle's own `jsonb` turns the value into text first, and Bun.SQL then stores that
 * text as one JSON string; handing the value over as it is keeps it a document that SQL can look into.
 */
export const json = <T extends object>(name: string) =>
  customType<{ data: T; driverData: unknown }>({
    dataType: () => "jsonb",
    toDriver: (value) => value,
    fromDriver: (value) => value as T,
  })(name);

export const instant = (name: string) => timestamp(name, { withTimezone: true, mode: "date", precision: 3 });
