import { type Static, Type } from "@sinclair/typebox";

export const PARAMETERS = {
  /** Parameters of one profile. */
  countMax: 50,
  nameCharactersMax: 40,
  valueCharactersMax: 200,
} as const;

/** Name of a parameter, as it stands between braces. */
export const PARAMETER_NAME = /^[A-Za-z][A-Za-z0-9]*$/;

export const ParameterValue = Type.Union([
  Type.String({ maxLength: PARAMETERS.valueCharactersMax }),
  Type.Number(),
]);
export type ParameterValue = Static<typeof ParameterValue>;

/** What a profile says of one of its parameters. Without `default`, each device must give a value. */
export const Parameter = Type.Object(
  {
    default: Type.Optional(ParameterValue),
    description: Type.Optional(Type.String({ maxLength: 200 })),
  },
  { additionalProperties: false },
);
export type Parameter = Static<typeof Parameter>;

const options = { maxProperties: PARAMETERS.countMax } as const;
const Key = Type.String({ maxLength: PARAMETERS.nameCharactersMax });

/** What differs between devices of one profile, by name: letters and digits, beginning with a letter. */
export const ProfileParameters = Type.Record(Key, Parameter, {
  ...options,
  description: "What differs between its devices: {name} in addresses, units, descriptions and settings",
  examples: [{ base: { default: 100, description: "First register" } }],
});
export type ProfileParameters = Static<typeof ProfileParameters>;

/** Not empty: in a file an empty cell means that the default stands. */
const OwnValue = Type.Union([
  Type.String({ minLength: 1, maxLength: PARAMETERS.valueCharactersMax }),
  Type.Number(),
]);

/** What one device gives for its profile's parameters. */
export const ParameterValues = Type.Record(Key, OwnValue, {
  ...options,
  description: "Over the defaults of the profile's parameters, name by name",
  examples: [{ base: 200 }],
});
export type ParameterValues = Static<typeof ParameterValues>;
