import { Type } from "@sinclair/typebox";
import { AppError } from "../../error/app-error.ts";
import type { DataType } from "../../vocabulary/value.ts";
import { WHOLE_RANGE } from "../../vocabulary/whole-range.ts";
import {
  type AnyKind,
  COMMON,
  type Common,
  SIGNALS,
  type Signal,
  type SignalName,
  type SignalOf,
  standardOf,
} from "./signals.ts";

/** A resolved address: a signal, and what is wrong with its sensor. */
export interface SimulatorAddress {
  signal: Signal;
  common: Common;
  dataType: DataType;
}

export const SimulatorAddressText = Type.String({
  minLength: 1,
  maxLength: 400,
  description:
    "A signal and its options: constant, sine, triangle, ramp, square, walk, noise, counter, pulse, states, load, setpoint (can be written), follow, missing; each takes bad= quality= frozen= spike= noise=",
  examples: [
    "sine min=20 max=80 period=5m noise=0.5",
    "walk min=4 max=6",
    "counter every=2s load=1",
    "states list=IDLE:20s,RUN:2m,FAULT:10s idle=IDLE",
    "pulse every=10s width=1s",
    "setpoint name=oil start=52 min=20 max=90",
    "follow of=oil lag=30s noise=0.2",
    "constant value=42 bad=10s/5m quality=bad.sensorFailed",
  ],
});

const refuse = (text: string, found: string, right: string): never => {
  throw new AppError("address.illegal", `Address "${text.slice(0, 120)}": ${found}; ${right}.`, {
    context: { address: text.slice(0, 120), found, right },
  });
};

/** Which tags a signal can be read as. */
const ANY: readonly SignalName[] = ["constant", "setpoint", "follow", "missing"];
const isNumber = (dataType: DataType): boolean => dataType !== "boolean" && dataType !== "text";

function typeProblem(signal: SignalName, dataType: DataType): string | null {
  if (ANY.includes(signal)) return null;
  if (signal === "pulse") return dataType === "boolean" ? null : "a pulse is read as boolean";
  if (signal === "states")
    return dataType === "text" || WHOLE_RANGE[dataType] !== undefined
      ? null
      : "states are read as text, or as a whole number that counts them from 0";
  if (signal === "square" || signal === "load")
    return dataType === "text" ? "it is read as a number or as boolean" : null;
  return isNumber(dataType) ? null : "it is read as a number";
}

/** Options are parted by blanks; a value with blanks stands in double quotes. */
const TOKEN = /\s*(?:([A-Za-z]+)=(?:"([^"]*)"|([^\s"]*))|(\S+))/y;

function tokensOf(text: string, from: number): Map<string, string> {
  const found = new Map<string, string>();
  TOKEN.lastIndex = from;
  for (let token = TOKEN.exec(text); token !== null; token = TOKEN.exec(text)) {
    const [, option, quoted, plain, stray] = token;
    if (option === undefined) return refuse(text, `"${stray}"`, "options are written as name=value");
    if (found.has(option)) refuse(text, `option ${option} twice`, "give it once");
    found.set(option, quoted ?? plain ?? "");
    if (TOKEN.lastIndex >= text.length) break;
  }
  return found;
}

function optionsOf(
  text: string,
  kinds: Readonly<Record<string, AnyKind>>,
  tokens: Map<string, string>,
  dataType: DataType,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(kinds).map(([option, kind]) => {
      const token = tokens.get(option);
      tokens.delete(option);
      if (token === undefined) return [option, standardOf(kind, dataType)];
      const value = kind.read(token, dataType);
      if (value === null) refuse(text, `${option}=${token}`, `${option}= takes ${kind.right}`);
      return [option, value];
    }),
  );
}

const names = (options: object): string =>
  Object.keys(options)
    .map((one) => `${one}=`)
    .join(", ");

/** @throws AppError `address.illegal` naming what was found and what would be right. */
export function parseAddress(raw: string, dataType: DataType): SimulatorAddress {
  const text = raw.trim();
  const [signal = ""] = /^\S*/.exec(text) ?? [];
  if (!Object.hasOwn(SIGNALS, signal))
    return refuse(text, `"${signal}" is no signal`, `known are ${Object.keys(SIGNALS).join(", ")}`);
  const name = signal as SignalName;
  const wrongType = typeProblem(name, dataType);
  if (wrongType !== null) refuse(text, `${name} as ${dataType}`, wrongType);
  const tokens = tokensOf(text, name.length);
  const own = optionsOf(text, SIGNALS[name] as Record<string, AnyKind>, tokens, dataType);
  const common = optionsOf(text, COMMON as Record<string, AnyKind>, tokens, dataType) as Common;
  for (const [left] of tokens)
    refuse(text, `option ${left}=`, `${name} takes ${names({ ...SIGNALS[name], ...COMMON })}`);
  const address = { signal: { name, options: own } as Signal, common, dataType };
  const wrong = senseProblem(address);
  if (wrong !== null) refuse(text, ...wrong);
  return address;
}

/** What options ask of each other. */
function senseProblem({ signal, common, dataType }: SimulatorAddress): [string, string] | null {
  if (common.noise !== 0 && !isNumber(dataType)) return [`noise= as ${dataType}`, "only numbers have noise"];
  if (common.noise < 0) return [`noise=${common.noise}`, "it goes this far up and down: 0 or more"];
  if ("min" in signal.options && "max" in signal.options) {
    const { min, max } = signal.options;
    if (min !== null && max !== null && min > max) return [`min=${min} above max=${max}`, "turn them round"];
  }
  if (signal.name === "setpoint") return setpointProblem(signal, dataType);
  if (signal.name === "follow" && signal.options.of === "")
    return ["a follower of nothing", "say which setpoint by of="];
  if (signal.name === "pulse" && signal.options.width >= signal.options.every)
    return ["a pulse as long as its period", "width= is shorter than every="];
  if (signal.name === "states") {
    const { list, idle } = signal.options;
    if (list.length === 0) return ["no states", "name them, such as list=IDLE:20s,RUN:2m"];
    if (idle !== "" && !list.some(({ word }) => word === idle))
      return [`idle=${idle}`, "it is one of the list"];
  }
  return null;
}

function setpointProblem({ options }: SignalOf<"setpoint">, dataType: DataType): [string, string] | null {
  if (options.name === "") return ["a setpoint without a name", "name it by name="];
  const { min, max, start } = options;
  if (min === null && max === null) return null;
  if (!isNumber(dataType)) return [`min= or max= as ${dataType}`, "only numbers have limits"];
  if (Number(start) < (min ?? -Infinity) || Number(start) > (max ?? Infinity))
    return [`start=${start}`, "it begins within its own limits"];
  return null;
}

/** The canonical text: options in the order of the table, those that stand as they would anyway left out. */
export function formatAddress({ signal, common, dataType }: SimulatorAddress): string {
  const write = (kinds: object, values: object): string[] =>
    Object.entries(kinds as Record<string, AnyKind>).flatMap(([option, kind]) => {
      const value = (values as Record<string, unknown>)[option];
      if (value === standardOf(kind, dataType)) return [];
      const text = kind.write(value);
      return [`${option}=${/\s/.test(text) || text === "" ? `"${text}"` : text}`];
    });
  return [signal.name, ...write(SIGNALS[signal.name], signal.options), ...write(COMMON, common)].join(" ");
}

/** Only setpoints can be written. */
export const writeProblem = ({ signal }: SimulatorAddress): string | null =>
  signal.name === "setpoint" ? null : `a ${signal.name} cannot be written; a setpoint can.`;
