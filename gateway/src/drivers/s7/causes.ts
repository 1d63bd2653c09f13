import { placeText, type S7Address } from "@millrace/contract/driver/s7/address";
import type { S7Family } from "@millrace/contract/driver/s7/settings";
import type { ErrorCode } from "@millrace/contract/error/code";
import type { Quality } from "@millrace/contract/vocabulary/quality";

/** Codes by which a CPU refuses one item. */
export const ITEM = {
  fault: 0x01,
  access: 0x03,
  range: 0x05,
  type: 0x06,
  size: 0x07,
  missing: 0x0a,
} as const;

/** A code as Siemens writes it. @param bytes its width */
export const codeText = (code: number, bytes: 1 | 2): string =>
  `0x${code.toString(16).padStart(2 * bytes, "0")}`;

const isTia = (family: S7Family): boolean => family === "1200" || family === "1500";

const PUT_GET =
  'in TIA at the CPU, Protection & Security > Connection mechanisms, tick "Permit access with PUT/GET communication"';
const LEVEL = "Protection & Security > Access level must allow reading (HMI access or full access)";
const OPTIMIZED =
  'in TIA at the properties of the block, Attributes, take "Optimized block access" off, compile and download';
const OTHER_WAY = "a CPU that must stay closed can be read by OPC UA instead";

/** Quality of a point whose item was refused; null: not the address is refused, the CPU has a fault. */
export function qualityOfItem(code: number): Quality | null {
  if (code === ITEM.fault) return null;
  return code === ITEM.access ? "bad.accessDenied" : "bad.addressIllegal";
}

/** Why the CPU refuses an address, for the person who can change it. Without a full stop. */
export function itemWords(code: number, address: S7Address): string {
  const place = placeText(address);
  const { family } = address.rules;
  const block = address.area === "db" ? (address.asV ? "V memory" : `DB${address.db}`) : "this area";
  const said = `The CPU refuses ${place} (code ${codeText(code, 1)})`;
  if (code === ITEM.access) {
    return isTia(family)
      ? `${said}: access is switched off. ${PUT_GET}; ${LEVEL}; ${OTHER_WAY}`
      : `${said}: reading is protected by a password in the CPU's hardware settings`;
  }
  if (address.area !== "db") return `${said}: ${block} ends before it, or this CPU does not have it`;
  if (code === ITEM.type || code === ITEM.size)
    return `${said}: this CPU does not give values of this kind here`;
  const why = code === ITEM.missing ? `${block} is not in the CPU` : `${block} ends before it`;
  return isTia(family) ? `${said}: ${why}, or it is an optimized block: ${OPTIMIZED}` : `${said}: ${why}`;
}

/** What a refusal of a whole request means: error, quality, and why, for the person who can change it. */
export function refusalOf(
  error: number,
  family: S7Family,
): { code: ErrorCode; quality: Quality; words: string } {
  const number = codeText(error, 2);
  const kind = error >> 8;
  if (kind === 0x81 || kind === 0x87 || error === 0xd241 || kind === 0xd6) {
    const words = isTia(family)
      ? `refuses to be read (${number}): ${PUT_GET}; ${LEVEL}; ${OTHER_WAY}`
      : `refuses to be read (${number}): it does not know the function, or is protected by a password`;
    return { code: "device.refused", quality: "bad.accessDenied", words };
  }
  if (kind === 0x83)
    return { code: "device.busy", quality: "bad.deviceBusy", words: `has no resources left (${number})` };
  return { code: "device.failed", quality: "bad.deviceFailed", words: `reports error ${number}` };
}
