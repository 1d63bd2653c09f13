import {
  capital,
  type Finding,
  type LineFacts,
  percent,
  REQUESTS_MIN,
  share,
  type UnitFacts,
  unitWords,
} from "../../driver/doctor.ts";

/** Broken answers in one window; one may be a plug that was touched. */
const BROKEN_MIN = 3;
/** A share of broken answers that people notice. */
const BROKEN_FAULT_SHARE = 0.2;
const UNITS_NAMED_MAX = 8;

/**
 * What is wrong with a serial line, by what its frames show: whether nothing comes, bytes without one good checksum, or
 * good answers with broken ones between them. Says it in place of the general words on silence and on answers that do
 * not fit.
 */
export function serialFindings(facts: LineFacts): Finding[] {
  const { transport } = facts.settings;
  if (transport !== "serial" && transport !== "rtuOverTcp") return [];
  const units = facts.units.filter(({ devices }) => devices.length > 0);
  const sum = (of: (unit: UnitFacts) => number) => units.reduce((all, unit) => all + of(unit), 0);
  const requests = sum((unit) => unit.requests);
  const broken = sum((unit) => unit.garbled);
  const good = sum((unit) => unit.answers + unit.refusals + unit.late + unit.wrongIds);
  const line = { ...facts, units, requests, broken };
  if (good > 0) return broken < BROKEN_MIN ? [] : [noisy(line)];
  if (broken >= BROKEN_MIN) return [unreadable(line)];
  return broken === 0 && sum((unit) => unit.timeouts) >= REQUESTS_MIN ? [silent(line)] : [];
}

type Line = Pick<LineFacts, "settings" | "units"> & { requests: number; broken: number };

const numbersOf = (units: readonly UnitFacts[]): number[] =>
  units.flatMap(({ unit }) => (unit === null ? [] : [unit])).slice(0, UNITS_NAMED_MAX);

/** "19200 bits/s, parity even, 1 stop bit": as it is set here. */
const speedWords = ({ baudRate, parity, stopBits }: LineFacts["settings"]): string =>
  `${baudRate} bits/s, parity ${parity}, ${stopBits} stop bit${stopBits === 1 ? "" : "s"}`;

/** Of the line as a whole, at a port of our own or behind a converter: each has another setting to look at first. */
function ofLine(kind: string, { settings, units }: Line, atPort: string, behindConverter: string): Finding {
  const own = settings.transport === "serial";
  const [words, setting] = own ? [atPort, "baudRate"] : [behindConverter, "transport"];
  return { kind, level: "fault", words, setting, units: numbersOf(units), weight: 1 };
}

function silent(line: Line): Finding {
  const { settings, units, requests } = line;
  const start = `${unitWords(units)} ${units.length > 1 ? "answer" : "answers"} none of ${requests} requests; not one byte comes.`;
  return ofLine(
    "serial.silent",
    line,
    `The port opens, and ${start} Check: power, the wires A and B (swap them if unsure: makers name them differently), unit number, and whether the devices have what is set here (${speedWords(settings)}).`,
    `The converter takes the connection, and ${start} It may speak Modbus TCP: then set \`transport\` to tcp. Else check power, the wires A and B behind it, unit number, and that its serial side has the devices' speed and parity.`,
  );
}

function unreadable(line: Line): Finding {
  const start = `Bytes come, and no answer with a good checksum among them (${line.broken} of ${line.requests} requests)`;
  return ofLine(
    "serial.unreadable",
    line,
    `${start}: speed, parity or stop bits are not those of the devices. Here they are ${speedWords(line.settings)}. If they are right, another master talks on this line, or another program has the port open.`,
    `${start}: the converter's serial side has another speed or parity than the devices, or it speaks Modbus TCP (set \`transport\` to tcp), or another master talks on this line.`,
  );
}

function noisy({ units, requests, broken }: Line): Finding {
  const spoilt = units.filter(({ garbled }) => garbled > 0);
  const weight = share(broken, requests);
  const rest = units.length - spoilt.length;
  const where =
    rest > 0
      ? `${capital(unitWords(spoilt))} only, of ${units.length}: look at ${spoilt.length > 1 ? "their" : "its"} part of the cable, and whether two devices have ${spoilt.length > 1 ? "one of these numbers" : "this number"}.`
      : "All units alike: look at the termination at both ends (120 Ω), the shield and common ground, at drives and motor cables beside the line, and for a second master.";
  return {
    kind: "serial.noisy",
    level: weight > BROKEN_FAULT_SHARE ? "fault" : "warn",
    words: `${broken} answers to ${requests} requests (${percent(weight)}) came broken, without a good checksum. None became a value. ${where}`,
    setting: "",
    units: numbersOf(spoilt),
    weight,
  };
}
