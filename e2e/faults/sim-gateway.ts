import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { Claim, Enrolment } from "@millrace/contract/api/enrolment";
import type { Gateway } from "@millrace/contract/api/gateway";
import { type Compression, noCompression } from "@millrace/contract/block/compression";
import { encodeBlock } from "@millrace/contract/block/encode";
import { DATA_FRAME, type FrameHeader, sealFrame } from "@millrace/contract/wire/frame";
import { ROUTE } from "@millrace/contract/wire/route";
import { enrolmentText, helloText } from "@millrace/contract/wire/signature";
import type { HelloBody } from "@millrace/contract/wire/uplink";
import type { HubApi } from "../stack/api.ts";

export interface SimIdentity {
  gatewayId: string;
  keyId: string;
  key: KeyObject;
  epoch: number;
}

export interface SimKey {
  key: KeyObject;
  publicKey: string;
  keyId: string;
}

export function freshKey(): SimKey {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ format: "jwk" }).x!;
  const keyId = createHash("sha256").update(Buffer.from(raw, "base64url")).digest("hex").slice(0, 16);
  return { key: privateKey, publicKey: raw, keyId };
}

const signed = (key: KeyObject, text: string): string =>
  sign(null, Buffer.from(text), key).toString("base64url");

/** Makes a gateway known at the hub in the way a real one does it. */
export async function enrolSim(api: HubApi, name: string, siteId: string): Promise<SimIdentity> {
  const gateway = await api.post<Gateway>("/gateways", { name, siteId });
  const { claimToken } = await api.post<Claim>(`/gateways/${gateway.id}/claims`, {});
  const { key, publicKey, keyId } = freshKey();
  const body = { claimToken, publicKey, software: "millrace-faults" };
  const response = await fetch(`${api.url}${ROUTE.enrolments}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ body, signature: signed(key, enrolmentText(body)) }),
  });
  if (!response.ok) throw new Error(`enrolment of ${name}: ${response.status}`);
  const { gatewayId, epoch } = (await response.json()) as Enrolment;
  return { gatewayId, keyId, key, epoch };
}

interface Downlink {
  type: string;
  [field: string]: unknown;
}

/** How a session ended. */
export interface SimEnd {
  code: string;
  retryAfterMs: number;
}

/** A frame of lane H with `count` samples of a tag that belongs to nobody. */
export function sampleFrame(
  seq: number,
  epoch: number,
  count: number,
  nowMs: number,
  compression: Compression = noCompression,
): Uint8Array {
  const values = Float64Array.from({ length: count }, (_, i) => seq + i);
  const body = encodeBlock(
    [
      {
        tagNo: 4_000_000,
        kind: "double",
        values,
        timesMs: Float64Array.from({ length: count }, (_, i) => nowMs - count + i),
        quality: new Uint8Array(count),
        nulls: null,
        receivedMs: null,
      },
    ],
    compression,
  );
  return sealFrame({ ...headerOf(seq, epoch, count, nowMs), compression: compression.name }, body);
}

export const headerOf = (seq: number, epoch: number, count: number, nowMs: number): FrameHeader => ({
  ...DATA_FRAME,
  lane: "H",
  seg: 1,
  epoch,
  first: seq,
  last: seq,
  sampleCount: count,
  bootNo: 1,
  monoMs: 0,
  wallMs: nowMs,
  clockQuality: "ntp",
  compression: "none",
});

/** Session numbers of every gateway of this run: none is ever used twice. */
let sessions = Date.now();

/** A gateway reduced to its session: proves itself, sends frames, counts answers. One socket, no buffer, no retry. */
export class SimGateway {
  hwm = 0;
  creditBytes = 0;
  creditBytesMin = Number.POSITIVE_INFINITY;
  nacks = 0;
  manifest: unknown = null;
  end: SimEnd | null = null;
  readonly ackMs: number[] = [];
  #socket: WebSocket | null = null;
  readonly #sentMs = new Map<number, number>();
  #lastBye: SimEnd | null = null;
  #welcomed: () => void = () => undefined;
  #failed: (error: Error) => void = () => undefined;

  constructor(
    private readonly hubUrl: string,
    readonly identity: SimIdentity,
    /** Changes the hello before it is signed. */
    private readonly edit: (body: HelloBody) => HelloBody = (body) => body,
  ) {}

  /** Resolves when welcomed. @throws Error with the code the hub gave, or that the connection ended */
  async connect(msMax = 30_000): Promise<void> {
    const socket = new WebSocket(`${this.hubUrl.replace("http", "ws")}${ROUTE.uplink}`);
    this.#socket = socket;
    this.end = null;
    this.#lastBye = null;
    const welcomed = new Promise<void>((resolve, reject) => {
      this.#welcomed = resolve;
      this.#failed = reject;
    });
    const timer = setTimeout(() => this.#failed(new Error("no welcome in time")), msMax);
    socket.onmessage = ({ data }) => this.#heard(JSON.parse(String(data)) as Downlink);
    socket.onclose = ({ code }) => {
      if (this.#socket !== socket) return;
      this.end = this.#lastBye ?? { code: `closed ${code}`, retryAfterMs: 0 };
      this.#failed(new Error(this.end.code));
    };
    socket.onerror = () => undefined;
    try {
      await welcomed;
    } finally {
      clearTimeout(timer);
    }
  }

  get open(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN && this.end === null;
  }

  get unackedFrames(): number {
    return this.#sentMs.size;
  }

  raw(data: string | Uint8Array): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(data as string);
  }

  sendFrame(seq: number, frame: Uint8Array): void {
    this.#sentMs.set(seq, performance.now());
    this.raw(frame);
  }

  /** The next frame of the stream; returns its number. */
  sendSamples(count: number): number {
    const seq = this.hwm + this.#sentMs.size + 1;
    this.sendFrame(seq, sampleFrame(seq, this.identity.epoch, count, Date.now()));
    return seq;
  }

  close(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #heard(message: Downlink): void {
    switch (message.type) {
      case "challenge":
        return this.#hello(message);
      case "welcome": {
        const streams = message.streams as { lane: string; seg: number; hwm: number }[];
        this.hwm = streams.find(({ lane, seg }) => lane === "H" && seg === 1)?.hwm ?? 0;
        this.#credit(message);
        this.#sentMs.clear();
        return this.#welcomed();
      }
      case "ack": {
        this.hwm = message.hwm as number;
        this.#credit(message);
        for (const [seq, sentMs] of this.#sentMs) {
          if (seq > this.hwm) continue;
          this.ackMs.push(performance.now() - sentMs);
          this.#sentMs.delete(seq);
        }
        return;
      }
      case "nack":
        this.nacks++;
        return;
      case "manifest":
        this.manifest = message.signed;
        return;
      case "bye":
        this.#lastBye = { code: String(message.code), retryAfterMs: Number(message.retryAfterMs) };
        return;
    }
  }

  #credit(message: Downlink): void {
    this.creditBytes = message.creditBytes as number;
    this.creditBytesMin = Math.min(this.creditBytesMin, this.creditBytes);
  }

  #hello(challenge: Downlink): void {
    const { gatewayId, keyId, epoch, key } = this.identity;
    const body = this.edit({
      protocol: 1,
      gatewayId,
      keyId,
      hubId: String(challenge.hubId),
      nonce: String(challenge.nonce),
      epoch,
      sessionNo: ++sessions,
      bootNo: 1,
      streams: [{ lane: "H", seg: 1, low: 1, next: Number.MAX_SAFE_INTEGER, acked: 0 }],
      manifestRev: 0,
      software: "millrace-faults",
      wallMs: Date.now(),
    });
    this.raw(JSON.stringify({ type: "hello", body, signature: signed(key, helloText(body)) }));
  }
}
