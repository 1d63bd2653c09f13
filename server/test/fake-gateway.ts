import { encodeBlock } from "@millrace/contract/block/encode";
import type { Series } from "@millrace/contract/block/series";
import { systemClock } from "@millrace/contract/std/clock";
import type { DownlinkMessage } from "@millrace/contract/wire/downlink";
import { DATA_FRAME, type FrameHeader, sealFrame } from "@millrace/contract/wire/frame";
import { ROUTE } from "@millrace/contract/wire/route";
import type { HelloBody } from "@millrace/contract/wire/uplink";
import { zstd } from "../src/ingest/zstd.ts";
import { helloOf, type IngestHub, type KnownGateway } from "./ingest-hub.ts";

type Of<T extends DownlinkMessage["type"]> = Extract<DownlinkMessage, { type: T }>;

/** A gateway's end of the uplink over a real socket, for tests: says exactly what it is told to say. */
export class FakeGateway implements Disposable {
  readonly heard: DownlinkMessage[] = [];
  closeCode: number | null = null;
  readonly #socket: WebSocket;
  #taken = 0;
  #wake: () => void = () => undefined;

  constructor(url: string, headers: Record<string, string> = {}) {
    this.#socket = new WebSocket(url + ROUTE.uplink, { headers } as never);
    this.#socket.onmessage = ({ data }) => {
      this.heard.push(JSON.parse(String(data)) as DownlinkMessage);
      this.#wake();
    };
    this.#socket.onclose = ({ code }) => {
      this.closeCode = code;
      this.#wake();
    };
  }

  /** Connects and is welcomed. */
  static async welcomed(hub: IngestHub, known: KnownGateway, change: Partial<HelloBody> = {}) {
    const fake = new FakeGateway(hub.url);
    fake.say(helloOf(known, await fake.next("challenge"), change));
    const welcome = await fake.next("welcome");
    return { fake, welcome };
  }

  say(message: unknown): void {
    this.#socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  send(bytes: Uint8Array): void {
    this.#socket.send(bytes as Uint8Array<ArrayBuffer>);
  }

  /** The next message of a type, skipping others. @throws Error when the socket closes or 5 s pass first */
  async next<T extends DownlinkMessage["type"]>(type: T): Promise<Of<T>> {
    const deadline = systemClock.monoMs() + 5_000;
    for (;;) {
      while (this.#taken < this.heard.length) {
        const message = this.heard[this.#taken++]!;
        if (message.type === type) return message as Of<T>;
      }
      if (this.closeCode !== null) throw new Error(`closed with ${this.closeCode} before ${type}`);
      if (systemClock.monoMs() > deadline)
        throw new Error(`no ${type} within 5 s; heard ${JSON.stringify(this.heard)}`);
      await this.#change(100);
    }
  }

  /** Waits for the end and returns the close code. */
  async closed(withinMs = 8_000): Promise<number> {
    const deadline = systemClock.monoMs() + withinMs;
    while (this.closeCode === null) {
      if (systemClock.monoMs() > deadline) throw new Error(`still open; heard ${JSON.stringify(this.heard)}`);
      await this.#change(100);
    }
    return this.closeCode;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  #change(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = systemClock.after(ms, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}

export const series = (tagNo: number, timesMs: number[], values: number[]): Series => ({
  tagNo,
  kind: "double",
  timesMs: Float64Array.from(timesMs),
  values: Float64Array.from(values),
  quality: new Uint8Array(timesMs.length),
  nulls: null,
  receivedMs: null,
});

/** A sealed data frame. `change` overrides the header; a body given as bytes is taken as it is. */
export function frame(
  seq: number,
  content: Series[] | Uint8Array,
  change: Partial<FrameHeader> = {},
): Uint8Array {
  const body = content instanceof Uint8Array ? content : encodeBlock(content, zstd);
  const sampleCount =
    content instanceof Uint8Array ? 1 : content.reduce((sum, each) => sum + each.timesMs.length, 0);
  return sealFrame(
    {
      ...DATA_FRAME,
      lane: "H",
      seg: 1,
      epoch: 1,
      first: seq,
      last: seq,
      sampleCount,
      bootNo: 1,
      monoMs: 1,
      wallMs: systemClock.nowMs(),
      clockQuality: "ntp",
      compression: "zstd",
      ...change,
    },
    body,
  );
}
