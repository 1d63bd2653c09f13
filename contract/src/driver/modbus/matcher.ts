import { AppError } from "../../error/app-error.ts";
import type { FieldPoint, FieldReading } from "../../wire/field.ts";
import { LIMITS } from "../../wire/limits.ts";
import type { MatchAnswer, Matcher, MatchQuestion } from "../matcher.ts";
import { formatAddress, type ModbusAddress, parseAddress } from "./address.ts";
import { type CandidatePlace, matchRegisters, type RegisterArea, type RegisterWindow } from "./match.ts";
import type { ModbusSettings } from "./settings.ts";

/** Registers behind the last place, so that a value of four registers may begin there. */
const WIDEST = 4;
const OFFSETS = 65_536;

interface Span {
  area: RegisterArea;
  offset: number;
  count: number;
}

/** The area asked for comes first, the other one is read as far as the device lets us. */
function spansOf(around: ModbusAddress, span: number): [Span, Span] {
  const offset = Math.max(0, around.offset - span);
  const end = Math.min(OFFSETS, around.offset + span + WIDEST);
  const own: RegisterArea = around.area === "input" || around.area === "discrete" ? "input" : "holding";
  const other: RegisterArea = own === "input" ? "holding" : "input";
  const count = end - offset;
  return [
    { area: own, offset, count },
    { area: other, offset, count },
  ];
}

/** A register as it comes, whatever the settings say of its order. */
function registerAt(around: ModbusAddress, area: RegisterArea, offset: number): FieldPoint {
  const address = {
    ...around,
    area,
    offset,
    width: 1,
    dataType: "uint16" as const,
    bit: null,
    wordsSwapped: false,
    bytesSwapped: false,
  };
  return { address: formatAddress(address), dataType: "uint16" };
}

/** The place as a tag's address. The unit is named only where it is not the device's own. */
function addressText(around: ModbusAddress, place: CandidatePlace, settings: ModbusSettings): string {
  const width = place.dataType.endsWith("16") ? 1 : place.dataType.endsWith("32") ? 2 : 4;
  const text = formatAddress({
    ...around,
    ...place,
    width,
    bit: null,
    highByte: false,
    length: 0,
    wordsSwapped: width > 1 && place.wordOrder === "low-first",
    bytesSwapped: place.byteOrder === "low-first",
  });
  return around.unit === settings.unit ? text.replace(/ unit=\d+$/, "") : text;
}

/** What an address says of its type; a search tries them all, so the address of a tag may be given as it stands. */
const OF_TYPE = /^(order|byte|length|layout)=/i;

/** @throws AppError `address.illegal` */
function parseAround(text: string, settings: ModbusSettings): ModbusAddress {
  const [where = "", ...words] = text.trim().split(/\s+/);
  const isBits = /^(coil|discrete|[01]\d{4,5}\b)/i.test(where);
  const place = [where.replace(/\.\d+$/, ""), ...words.filter((word) => !OF_TYPE.test(word))].join(" ");
  return parseAddress(place, isBits ? "boolean" : "uint16", settings);
}

function hintOf(question: MatchQuestion, total: number, shown: number, readable: number): string {
  if (readable === 0)
    return "The device gives none of these registers. Choose another address or another area.";
  if (total === 0 && question.previous !== undefined)
    return "None of the candidates fits any more. Begin anew without them, or allow a greater tolerance.";
  if (total === 0)
    return "Nothing here gives this number. Look further around, allow a greater tolerance, or try another address.";
  if (total === 1) return "One reading fits. Compare it once more when the display has changed.";
  if (question.displayed === 0)
    return "Zero fits nearly everything. Ask again when the display shows another number.";
  const cut =
    total > shown ? ` The best ${shown} are listed; a smaller span or tolerance leaves out chance.` : "";
  return `${total} readings fit.${cut} When the display has changed, ask again with these candidates as previous.`;
}

/** Looks for a displayed number in the holding and the input registers around an address. */
export const modbusMatcher: Matcher<ModbusSettings> = {
  window({ around, span }, settings) {
    const address = parseAround(around, settings);
    const parts = spansOf(address, span).map(({ area, offset, count }) =>
      Array.from({ length: count }, (_, index) => registerAt(address, area, offset + index)),
    );
    const points = parts.reduce((sum, part) => sum + part.length, 0);
    if (points <= LIMITS.fieldTagsMax) return parts;
    throw new AppError(
      "request.tooLarge",
      `A search reads at most ${LIMITS.fieldSpanMax} registers to each side.`,
    );
  },

  propose(question, readings, settings): MatchAnswer {
    const address = parseAround(question.around, settings);
    let from = 0;
    const windows = spansOf(address, question.span).map(({ area, offset, count }): RegisterWindow => {
      const words = readings.slice(from, from + count).map(wordOf);
      from += count;
      return { area, offset, words };
    });
    const { total, candidates } = matchRegisters({
      windows,
      around: { area: windows[0]!.area, offset: address.offset },
      displayed: question.displayed,
      tolerance: question.tolerance,
      previous: question.previous,
      addressOf: (place) => addressText(address, place, settings),
    });
    const areas = windows.map(({ area, offset, words }) => ({
      area,
      from: offset,
      to: offset + words.length - 1,
      readable: words.filter((word) => word !== null).length,
    }));
    const readable = areas.reduce((sum, one) => sum + one.readable, 0);
    return { areas, total, candidates, hint: hintOf(question, total, candidates.length, readable) };
  },
};

const wordOf = ({ raw }: FieldReading): number | null => (typeof raw === "number" ? raw : null);
