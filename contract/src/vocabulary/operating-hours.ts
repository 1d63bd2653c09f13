import { type Static, Type } from "@sinclair/typebox";

/** Days as the document writes them, in the order of the week. */
export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Weekday = (typeof WEEKDAYS)[number];

export const OPERATING_HOURS = {
  /** Ranges of one day. */
  rangesMax: 12,
} as const;

const Ranges = Type.Optional(
  Type.Array(
    Type.String({
      pattern: "^([01]\\d|2[0-3]):[0-5]\\d-(([01]\\d|2[0-3]):[0-5]\\d|24:00)$",
      description:
        "From and to by the clock on the wall; a range that ends earlier than it begins passes midnight",
      examples: ["06:00-22:00", "22:00-06:00"],
    }),
    { maxItems: OPERATING_HOURS.rangesMax },
  ),
);

/** When a machine is to run, by the clock on the wall where it stands. */
export const OperatingHours = Type.Object(
  {
    timeZone: Type.String({
      minLength: 1,
      maxLength: 64,
      description: "IANA name",
      examples: ["Europe/Berlin"],
    }),
    days: Type.Object(
      { mon: Ranges, tue: Ranges, wed: Ranges, thu: Ranges, fri: Ranges, sat: Ranges, sun: Ranges },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);
export type OperatingHours = Static<typeof OperatingHours>;
