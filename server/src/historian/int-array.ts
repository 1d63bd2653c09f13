/**
 * Whole numbers as the text of a PostgreSQL array, for `= ANY(${…}::text::bigint[])`. With an array the planner looks each
 * number up in the index; joining a set of unknown size it would rather read the whole table.
 */
export const intArray = (nos: Iterable<number | string>): string => `{${[...nos].join(",")}}`;
