import { AppError } from "../error/app-error.ts";

/** Addresses one search looks at: a network of 24 bits. */
export const NETWORK_HOSTS_MAX = 254;

/** Networks of a plant (RFC 1918), of a cable between two machines (RFC 3927), and of the machine itself. */
const PRIVATE: readonly [number, number][] = [
  [0x0a000000, 8],
  [0xac100000, 12],
  [0xc0a80000, 16],
  [0xa9fe0000, 16],
  [0x7f000000, 8],
];

const maskOf = (bits: number): number => (bits === 0 ? 0 : (0xffff_ffff << (32 - bits)) >>> 0);
const textOf = (address: number): string =>
  [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");

function addressOf(text: string): number | null {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (parts === undefined || parts.some((part) => part > 255)) return null;
  return parts.reduce((sum, part) => ((sum << 8) | part) >>> 0, 0);
}

const isPrivate = (address: number): boolean =>
  PRIVATE.some(([net, length]) => (address & maskOf(length)) >>> 0 === net);

/**
 * True for an address that only machines of the same network reach: IPv4 as above, IPv6 unique-local, link-local and
 * loopback. An address for every interface is none of these.
 */
export function isPrivateAddress(text: string): boolean {
  const bare = text
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/%.*$/, "")
    .replace(/^::ffff:(?=[\d.]+$)/, "");
  const address = addressOf(bare);
  if (address !== null) return isPrivate(address);
  return bare === "::1" || /^(f[cd][0-9a-f]{2}|fe[89ab][0-9a-f]):[0-9a-f:]*$/.test(bare);
}

const refuse = (text: string, right: string): never => {
  throw new AppError("request.invalid", `network "${text.slice(0, 40)}": ${right}.`, {
    context: { field: "network", right },
  });
};

/**
 * The addresses of a network of a plant, e.g. `192.168.1.0/24` or `10.0.0.5/32`, without that of the network itself and
 * the one for all. Only private ones: nobody else's machines are ever searched.
 * @throws AppError `request.invalid` with what would be right
 */
export function networkHosts(text: string): string[] {
  const [, base = "", bitsText = ""] = /^\s*([\d.]+)\/(\d{1,2})\s*$/.exec(text) ?? [];
  const [address, bits] = [addressOf(base), Number(bitsText)];
  if (address === null || bitsText === "" || bits > 32)
    return refuse(text, "write an IPv4 network such as 192.168.1.0/24");
  if (bits < 24)
    return refuse(text, `it has more than ${NETWORK_HOSTS_MAX} addresses; search /24 or smaller`);
  if (!isPrivate(address))
    return refuse(
      text,
      "only private networks are searched (10/8, 172.16/12, 192.168/16, 169.254/16, 127/8)",
    );
  const first = (address & maskOf(bits)) >>> 0;
  const count = 2 ** (32 - bits);
  const [from, to] = bits >= 31 ? [0, count] : [1, count - 1];
  return Array.from({ length: to - from }, (_, i) => textOf(first + from + i));
}
