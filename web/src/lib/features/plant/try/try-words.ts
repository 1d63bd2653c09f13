import type {
  FieldMatchResult,
  FieldReadResult,
  FieldScanResult,
  FieldTagResult,
} from "@millrace/contract/api/field";
import type { Latest } from "@millrace/contract/api/history";
import type { Tag } from "@millrace/contract/api/plant";
import type { JsonValue } from "@millrace/contract/vocabulary/value";

/** Significant digits of a float: what 32 bits hold. */
const DIGITS = 7;

const valueWords = (value: JsonValue): string =>
  typeof value === "number"
    ? String(Number(value.toPrecision(DIGITS)))
    : value === null
      ? "—"
      : String(value);

/** The value, and the raw one behind it when they differ: "21.5 (raw 215)". */
export function readWords({ raw, value }: Pick<FieldTagResult, "raw" | "value">): string {
  const [scaled, plain] = [valueWords(value), valueWords(raw)];
  return scaled === plain ? scaled : `${scaled} (raw ${plain})`;
}

/** What a search at the display found, and what to do next. */
export function matchWords({ ok, cause, total }: Pick<FieldMatchResult, "ok" | "cause" | "total">): string {
  if (!ok) return `${cause?.message ?? "The device did not answer."} ${cause?.nextStep ?? ""}`.trim();
  if (total === 0)
    return "Nothing near by reads like this. Try another address, or look whether the display has moved on.";
  if (total === 1) return "One reading fits. Let the display change and compare once more, then take it.";
  return `${total} readings fit. Let the display change, type the new number, and compare again.`;
}

/** How a search of a network went. */
export const scanWords = ({ asked, found }: FieldScanResult): string =>
  `${asked} ${asked === 1 ? "address" : "addresses"} asked, ${found.length === 0 ? "nobody is" : found.length === 1 ? "one is" : `${found.length} are`} there.`;

/** What is known of somebody in the network. */
export function foundWords({ ok, shared, roundTripMs, cause }: FieldScanResult["found"][number]): string {
  if (!ok)
    return `Takes the connection and does not answer; perhaps another unit number. ${cause?.message ?? ""}`.trim();
  const speed = roundTripMs === null ? "" : ` in ${Math.round(roundTripMs * 10) / 10} ms`;
  return `Answers${speed}${shared ? ", and is read already" : ""}.`;
}

/** What a cycle of these tags costs the device. */
export function requestWords({ roundTripMs, requests, requestsPerSecond, shared }: FieldReadResult): string {
  const parts = [
    roundTripMs === null ? "" : `It answers in ${Math.round(roundTripMs * 10) / 10} ms.`,
    requests === null ? "" : `One cycle takes ${requests} ${requests === 1 ? "request" : "requests"}`,
    requestsPerSecond === undefined ? "" : `, ${Math.round(requestsPerSecond * 10) / 10} a second`,
  ];
  const cost = parts[1] === "" ? "" : `${parts[1]}${parts[2]}.`;
  const line = shared ? "Over the connection that runs already." : "";
  return [parts[0], cost, line].filter((part) => part !== "").join(" ");
}

/** The values a device's tags have now, by name. */
export const runningWords = ({
  tags,
  latest,
}: {
  tags: readonly Tag[];
  latest: readonly Latest[];
}): Map<string, string> => {
  const byNo = new Map(latest.map((one) => [one.tagNo, one]));
  return new Map(
    tags.flatMap(({ name, tagNo }) => {
      const one = byNo.get(tagNo);
      return one === undefined || one.time === null ? [] : [[name, valueWords(one.value)]];
    }),
  );
};
