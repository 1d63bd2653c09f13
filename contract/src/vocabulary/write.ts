import { type Static, Type } from "@sinclair/typebox";

/**
 * How much a write asks of people: 1 a confirmation, 2 the writer's password once more, 3 a second person too.
 */
export const WriteClass = Type.Union([Type.Literal(1), Type.Literal(2), Type.Literal(3)], {
  description: "1: a confirmation; 2: the password once more; 3: a second person too",
});
export type WriteClass = Static<typeof WriteClass>;

/** Shortest and longest time a momentary write holds, in ms. */
export const PULSE_MS = { min: 50, max: 10_000 } as const;

export const WRITE_VALUES_MAX = 32;
/** Longest text that can be written, in characters. */
export const WRITE_TEXT_CHARACTERS_MAX = 250;

const WriteValue = Type.Union([
  Type.Boolean(),
  Type.Number(),
  Type.String({ maxLength: WRITE_TEXT_CHARACTERS_MAX }),
]);

/** What may be written to a tag, in engineering units. A tag without these rules cannot be written at all. */
export const WriteRules = Type.Object(
  {
    class: Type.Optional(WriteClass),
    min: Type.Optional(Type.Number({ description: "Smallest value" })),
    max: Type.Optional(Type.Number({ description: "Largest value" })),
    step: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, description: "Distance of two values, from min" }),
    ),
    values: Type.Optional(
      Type.Array(WriteValue, {
        minItems: 1,
        maxItems: WRITE_VALUES_MAX,
        description: "The only values there are; 64-bit integers as decimal strings",
      }),
    ),
    pulseMs: Type.Optional(
      Type.Integer({
        minimum: PULSE_MS.min,
        maximum: PULSE_MS.max,
        description: "Momentary, for boolean tags: written, held so long, then taken back",
      }),
    ),
    atMachine: Type.Optional(
      Type.Boolean({
        description: "Only while somebody at the machine has armed writing at the gateway's page",
      }),
    ),
  },
  {
    additionalProperties: false,
    description: "What may be written to it; left out, nothing",
    examples: [{ class: 2, min: 0, max: 120, step: 0.5 }],
  },
);
export type WriteRules = Static<typeof WriteRules>;

export const writeClassOf = ({ class: written }: WriteRules): WriteClass => written ?? 1;
