import { BlockList, isIP } from "node:net";
import { AppError } from "@millrace/contract/error/app-error";

/** Proxies named in one header; a longer row of them is cut at its far end. */
const HOPS_MAX = 32;

/** An address in its one usual spelling, or null for what is none: an IPv4 one stays IPv4 whatever socket it came through. */
export function plainAddress(text: string): string | null {
  const [bare = ""] = text.split("%");
  const family = isIP(bare);
  if (family !== 6) return family === 4 ? bare : null;
  // A URL writes an IPv6 address in the spelling of RFC 5952.
  const short = new URL(`http://[${bare}]/`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short);
  if (mapped === null) return short;
  const [high, low] = [Number.parseInt(mapped[1] ?? "", 16), Number.parseInt(mapped[2] ?? "", 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/** One name for all addresses one customer can have: an IPv6 network of 64 bits, an IPv4 address in any spelling. */
export function addressBucket(address: string): string {
  const plain = plainAddress(address) ?? address;
  if (!plain.includes(":")) return plain;
  const [head = "", tail] = plain.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  return `${[...left, ...Array<string>(zeros).fill("0"), ...right].slice(0, 4).join(":")}::/64`;
}

/** Tells whether a proxy's word about whom it forwards for is believed. */
export type Trusts = (address: string) => boolean;

/**
 * The operator's list of proxies: addresses and networks such as `10.0.0.0/8`, parted by commas.
 * @throws AppError `setting.wrong` naming the part that is neither
 */
export function readProxies(list: string): Trusts {
  const proxies = new BlockList();
  const parts = list
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  for (const part of parts) {
    const [, address = "", bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(part) ?? [];
    const family = isIP(address);
    const bitsMax = family === 4 ? 32 : 128;
    if (family === 0 || Number(bits ?? bitsMax) > bitsMax)
      throw new AppError("setting.wrong", `"${part.slice(0, 80)}" is no address and no network.`);
    proxies.addSubnet(address, Number(bits ?? bitsMax), family === 4 ? "ipv4" : "ipv6");
  }
  if (parts.length === 0) return () => false;
  return (address) => proxies.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

/** A place in `X-Forwarded-For`, which some proxies write with the port. */
function hopOf(text: string): string | null {
  const bare = text.trim();
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(bare)?.[1];
  return plainAddress(bracketed ?? bare.replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, "$1"));
}

/**
 * Who is at the other end: the nearest address that no trusted proxy speaks for. Each proxy adds at the right whom it
 * heard, so only what stands right of the first stranger is worth anything.
 * @param socket The address of the socket itself
 * @param forwarded `X-Forwarded-For`
 */
export function peerAddress(socket: string, forwarded: string | null, trusts: Trusts): string {
  let peer = plainAddress(socket) ?? socket;
  if (forwarded === null || !trusts(peer)) return peer;
  for (const hop of forwarded.split(",").slice(-HOPS_MAX).reverse()) {
    const next = trusts(peer) ? hopOf(hop) : null;
    if (next === null) break;
    peer = next;
  }
  return peer;
}
