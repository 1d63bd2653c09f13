import { type Static, Type } from "@sinclair/typebox";
import { WINDOW_PATTERN, windowOf } from "./window.ts";

const Fault = (what: string, example: string) =>
  Type.Optional(
    Type.String({ pattern: WINDOW_PATTERN, maxLength: 20, description: what, examples: [example] }),
  );

/** How much a plant works, by the hour and the day of the week. */
export const LOADS = ["steady", "dayShift", "twoShifts", "threeShifts", "peaks", "idle"] as const;
export type Load = (typeof LOADS)[number];

/** Settings of one simulated machine. Faults are written as windows: `20s/10m` is 20 seconds of every 10 minutes. */
export const SimulatorSettings = Type.Object(
  {
    machine: Type.String({
      minLength: 1,
      maxLength: 60,
      main: true,
      description: "Name of the simulated machine. Machines of other names hold other values",
      examples: ["press-1"],
    }),
    load: Type.Union(
      LOADS.map((load) => Type.Literal(load)),
      {
        default: "steady",
        main: true,
        description:
          "How much it works: always; 06 to 14, to 22, or round the clock on workdays, with breaks; like a site's power over the day; hardly at all. Signals follow it by load=",
        examples: ["threeShifts"],
      },
    ),
    seed: Type.Integer({
      minimum: 0,
      maximum: 2_147_483_647,
      default: 1,
      description:
        "Another number gives another run of chance; the same gives the same values at the same time",
      examples: [1, 42],
    }),
    utcOffsetMin: Type.Integer({
      minimum: -720,
      maximum: 840,
      default: 0,
      unit: "min",
      description: "The plant's clock minus UTC, for its shifts; the same all year",
      examples: [60],
    }),
    answerMs: Type.Integer({
      minimum: 0,
      maximum: 60_000,
      default: 0,
      unit: "ms",
      description: "How long each answer takes",
      examples: [40],
    }),
    timeoutMs: Type.Integer({
      minimum: 20,
      maximum: 60_000,
      default: 1_000,
      unit: "ms",
      description: "Longest wait for one answer",
      examples: [1_000],
    }),
    unreachable: Fault(
      "Fault: the link breaks, and the machine cannot be reached. 0s/1h breaks it once an hour, and it is there again at once",
      "20s/10m",
    ),
    silent: Fault("Fault: the link stays and no answer comes", "10s/10m"),
    slow: Fault("Fault: answers take slowMs", "30s/10m"),
    slowMs: Type.Integer({
      minimum: 0,
      maximum: 60_000,
      default: 700,
      unit: "ms",
      description: "How long an answer takes while the machine is slow; above timeoutMs none comes",
      examples: [700, 3_000],
    }),
    frozen: Fault("Fault: all values stand still", "1m/15m"),
    spikes: Fault("Fault: numbers jump far out", "1s/5m"),
    clockOffsetMs: Type.Integer({
      minimum: -604_800_000,
      maximum: 604_800_000,
      default: 0,
      unit: "ms",
      description:
        "Fault: the machine's clock minus the right time. Other than 0, values carry the wrong time",
      examples: [-61_200_000, 120_000],
    }),
  },
  { additionalProperties: false },
);
export type SimulatorSettings = Static<typeof SimulatorSettings>;

const WINDOWS = ["unreachable", "silent", "slow", "frozen", "spikes"] as const;

/** A fault must end before it comes again. */
export function settingsProblem(settings: SimulatorSettings): { setting: string; message: string } | null {
  const setting = WINDOWS.find((name) => settings[name] !== undefined && windowOf(settings[name]) === null);
  if (setting === undefined) return null;
  const message = `found "${settings[setting]}", expected a length, and how often: 20s/10m, the first shorter than the second, both within 31d`;
  return { setting, message };
}
