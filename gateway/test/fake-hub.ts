import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from "node:crypto";
import { canonicalJson } from "@millrace/contract/std/canonical-json";
import { type FrameView, splitEnvelope } from "@millrace/contract/wire/frame";
import type { Manifest, SignedManifest } from "@millrace/contract/wire/manifest";
import { helloText, manifestText } from "@millrace/contract/wire/signature";
import { type StreamKey, type StreamText, streamText } from "@millrace/contract/wire/stream";
import type { HelloBody, UplinkMessage } from "@millrace/contract/wire/uplink";

export const HUB_ID = "01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55";
export const GATEWAY_ID = "01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b56";

const FIRST: StreamKey = { lane: "H", seg: 1 };

type Peer = { send(text: string): void; close(code: number, reason?: string): void };

/** What a test may bend; each is called in place of the honest behaviour when it is set. */
export interface Script {
  challenge?: (peer: Peer) => void;
  hello?: (peer: Peer, body: HelloBody) => void;
  envelope?: (peer: Peer, frames: FrameView[]) => void;
}

/** A hub at the edge: speaks the wire, keeps frames in memory, and does what its script says. */
export class FakeHub {
  /** Of lane H. */
  readonly frames: FrameView[] = [];
  /** Of lane E. */
  readonly events: FrameView[] = [];
  readonly marks = new Map<StreamText, number>();
  readonly texts: UplinkMessage[] = [];
  readonly peers: Peer[] = [];
  signatureHeld = 0;
  envelopes = 0;
  creditBytes = 8 * 1024 * 1024;
  script: Script = {};
  readonly #keys = generateKeyPairSync("ed25519");
  readonly #gatewayKey: KeyObject;
  readonly #server: Bun.Server<undefined>;

  constructor(gatewayPublicKey: string) {
    this.#gatewayKey = createPublicKey({
      key: { kty: "OKP", crv: "Ed25519", x: gatewayPublicKey },
      format: "jwk",
    });
    const hub = this;
    const nonces = new WeakMap<object, string>();
    this.#server = Bun.serve({
      port: 0,
      fetch: (request, server) => (server.upgrade(request) ? undefined : new Response("no", { status: 404 })),
      websocket: {
        open(ws) {
          const nonce = randomBytes(32).toString("base64url");
          nonces.set(ws, nonce);
          hub.peers.push(ws);
          if (hub.script.challenge) return hub.script.challenge(ws);
          say(ws, { type: "challenge", nonce, hubId: HUB_ID, hubTimeMs: 1_000, protocols: [1] });
        },
        message(ws, data) {
          if (typeof data === "string")
            return hub.#text(ws, JSON.parse(data) as UplinkMessage, nonces.get(ws)!);
          hub.envelopes++;
          const frames = splitEnvelope(new Uint8Array(data));
          if (hub.script.envelope) return hub.script.envelope(ws, frames);
          hub.apply(ws, frames);
        },
      },
    });
  }

  /** Mark of the first segment of history. */
  get hwm(): number {
    return this.marks.get("H/1") ?? 0;
  }

  set hwm(hwm: number) {
    this.marks.set("H/1", hwm);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  get publicKey(): string {
    return this.#keys.publicKey.export({ format: "jwk" }).x as string;
  }

  #text(peer: Peer, message: UplinkMessage, nonce: string): void {
    this.texts.push(message);
    if (message.type !== "hello") return;
    const { body, signature } = message;
    const held = verify(
      null,
      Buffer.from(helloText(body)),
      this.#gatewayKey,
      Buffer.from(signature, "base64url"),
    );
    if (held && body.nonce === nonce) this.signatureHeld++;
    if (this.script.hello) return this.script.hello(peer, body);
    this.welcome(peer, body);
  }

  welcome(peer: Peer, body: HelloBody): void {
    const streams = body.streams.map(({ lane, seg }) => ({
      lane,
      seg,
      hwm: this.marks.get(streamText({ lane, seg })) ?? 0,
    }));
    say(peer, {
      type: "welcome",
      sessionId: HUB_ID,
      streams,
      creditBytes: this.creditBytes,
      heartbeatMs: 1_000,
      manifestRev: 0,
      hubTimeMs: 1_000,
    });
  }

  /** Honest apply: skip what is known, refuse holes, acknowledge the mark; of lane L nothing is kept. */
  apply(peer: Peer, frames: FrameView[]): void {
    const { lane, seg } = frames[0]!.header;
    if (lane === "L") return;
    const key = streamText({ lane, seg });
    for (const frame of frames) {
      const hwm = this.marks.get(key) ?? 0;
      if (frame.header.last <= hwm) continue;
      if (frame.header.first !== hwm + 1)
        return this.nack(peer, frame.header.first, "frame.gap", { lane, seg });
      const kept = lane === "E" ? this.events : this.frames;
      kept.push({ ...frame, bytes: frame.bytes.slice(), body: frame.body.slice() });
      this.marks.set(key, frame.header.last);
    }
    this.ack(peer, this.marks.get(key)!, { lane, seg });
  }

  ack(peer: Peer, hwm: number, key: StreamKey = FIRST): void {
    say(peer, { type: "ack", ...key, hwm, creditBytes: this.creditBytes });
  }

  nack(peer: Peer, seq: number, code: string, key: StreamKey = FIRST): void {
    const expected = (this.marks.get(streamText(key)) ?? 0) + 1;
    say(peer, { type: "nack", ...key, seq, expected, code, creditBytes: this.creditBytes });
  }

  sign(manifest: Manifest): SignedManifest {
    const json = canonicalJson(manifest);
    const signature = sign(null, Buffer.from(manifestText(json)), this.#keys.privateKey).toString(
      "base64url",
    );
    return { json, sha256: createHash("sha256").update(json).digest("hex"), signature };
  }

  async stop(): Promise<void> {
    await this.#server.stop(true);
  }
}

export const say = (peer: Peer, message: unknown): void => peer.send(JSON.stringify(message));
