/**
 * Looks at the fixed headers of MQTT packets (3.1.1 and 5.0, 2.1) before a parser gets the bytes. A parser keeps a packet
 * until it is whole, and a packet may say it has 256 MB: whoever is on the other side must not decide about our memory.
 */
export interface GuardLimits {
  packetBytesMax: number;
  /** Quality of service 2 keeps state for each message on our side; where we never asked for it, it is an attack. */
  qos2: boolean;
  /** Type of the first packet, CONNECT or CONNACK, which comes once: whoever begins otherwise speaks something else. */
  first: typeof CONNECT | typeof CONNACK;
}

export const CONNECT = 1;
export const CONNACK = 2;
const PUBLISH = 3;

export class PacketGuard {
  readonly #limits: GuardLimits;
  /** Bytes that still belong to the packet before. */
  #left = 0;
  /** Header bytes of a packet that is not yet known. */
  #header: number[] = [];
  packets = 0;

  constructor(limits: GuardLimits) {
    this.#limits = limits;
  }

  /** Why these bytes must not be passed on, or null. What came before them was right. */
  feed(bytes: Uint8Array): string | null {
    let at = 0;
    while (at < bytes.length) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, bytes.length - at);
        this.#left -= taken;
        at += taken;
        continue;
      }
      this.#header.push(bytes[at++]!);
      const wrong = this.#look();
      if (wrong !== null) return wrong;
    }
    return null;
  }

  #look(): string | null {
    const [first = 0, ...length] = this.#header;
    const type = first >> 4;
    if (length.length === 0 && (type === this.#limits.first) !== (this.packets === 0))
      return this.packets === 0 ? "something that is not MQTT" : "its first packet twice";
    if (type === 0) return "a packet of type 0";
    if (length.length === 0) return null;
    if (length.at(-1)! >= 0x80) return length.length < 4 ? null : "a length of more than four bytes";
    const bytes = length.reduceRight((sum, digit) => sum * 128 + (digit & 0x7f), 0);
    this.#header = [];
    this.packets++;
    if (bytes > this.#limits.packetBytesMax)
      return `a packet of ${bytes} bytes, over ${this.#limits.packetBytesMax}`;
    if (type === PUBLISH && (first & 0x06) === 0x06) return "quality of service 3, which does not exist";
    if (type === PUBLISH && (first & 0x06) === 0x04 && !this.#limits.qos2)
      return "quality of service 2, which nobody asked for";
    this.#left = bytes;
    return null;
  }
}
