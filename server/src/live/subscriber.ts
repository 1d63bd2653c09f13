import { AppError, asAppError } from "@millrace/contract/error/app-error";
import { LIMITS } from "@millrace/contract/wire/limits";
import type { LiveGateway, LiveServerMessage, LiveValue } from "@millrace/contract/wire/live";
import { Bucket } from "../http/limit/rate.ts";
import { CLOSE } from "../ingest/close-code.ts";
import type { LatestCache } from "../modules/latest/cache.ts";
import { mapLive } from "../modules/latest/map.ts";
import type { GatewayLink } from "../ports.ts";
import { decodeLiveMessage } from "./message.ts";

export const LIVE = {
  /** A browser that has not taken so much yet gets nothing new; it then gets the newest of each tag, not a queue. */
  bufferedBytesMax: 256 * 1024,
  /** Messages of one browser in a second; more is a fault or an attack. */
  messagesPerSecondMax: 50,
  /** Tags one browser may subscribe to in a row, and then in a second: each is looked up and sent for the snapshot. */
  tagsBurstMax: 100_000,
  tagsPerSecondMax: 10_000,
  /** Sockets open at once: of one account, from one address (a plant may sit behind one), and in all. */
  socketsPerAccountMax: 100,
  socketsPerAddressMax: 500,
  socketsMax: 5_000,
  fullRetryAfterS: 10,
  heartbeatMs: 5_000,
  tickMs: 100,
  /** How often a socket's right to be there is looked up again. */
  accessLookMs: 3_000,
} as const;

export interface LiveSocket {
  /** False when the message was dropped. */
  send(text: string): boolean;
  bufferedBytes(): number;
  close(closeCode: number, reason: string): void;
}

export interface LiveSources {
  cache: LatestCache;
  links(): ReadonlyMap<string, GatewayLink>;
  /** Grows with each change of `links`. */
  linksVersion(): number;
}

/** What one browser sees of the tags it asked for. */
export interface Sight {
  /** Numbers among them that do not exist for it. */
  unknown: readonly number[];
  /** Gateways whose link it may know; null for all. */
  gateways: ReadonlySet<string> | null;
}
/** Asked at each subscription, as roles may have changed since the last. */
export type Look = (tagNos: readonly number[]) => Promise<Sight>;

/** One browser: what it watches, and what it knows already. */
export class Subscriber {
  #id = 0;
  #seq = 0;
  #tags: readonly number[] = [];
  #version = 0;
  #linksTold = new Map<string, GatewayLink>();
  #linksVersion = -1;
  #gateways: ReadonlySet<string> | null = null;
  #asked = 0;
  #spokeMonoMs: number;
  #second = 0;
  #messages = 0;
  readonly #tagsLeft: Bucket;

  constructor(
    private readonly socket: LiveSocket,
    private readonly sources: LiveSources,
    private readonly look: Look,
    monoMs: number,
  ) {
    this.#spokeMonoMs = monoMs;
    this.#tagsLeft = new Bucket(LIVE.tagsPerSecondMax, LIVE.tagsBurstMax, monoMs);
  }

  /** Counts a message, or a ping, which the runtime answers by itself. @returns false when it was one too many */
  counts(monoMs: number): boolean {
    const second = Math.floor(monoMs / 1_000);
    this.#messages = second === this.#second ? this.#messages + 1 : 1;
    this.#second = second;
    if (this.#messages <= LIVE.messagesPerSecondMax) return true;
    this.socket.close(CLOSE.tooMany, "request.tooMany");
    return false;
  }

  heard(message: string | Uint8Array, monoMs: number, nowMs: number): void {
    if (!this.counts(monoMs)) return;
    try {
      const decoded = decodeLiveMessage(typeof message === "string" ? message : "");
      if (decoded.type !== "subscribe") return;
      // A snapshot on top of what it has not taken yet would be a queue, and it decides how often it asks.
      if (
        !this.#tagsLeft.take(decoded.tags.length, monoMs) ||
        this.socket.bufferedBytes() > LIVE.bufferedBytesMax
      )
        return this.socket.close(CLOSE.tooMany, "request.tooMany");
      void this.#ask(decoded.id, decoded.tags, monoMs, nowMs);
    } catch (thrown) {
      this.#refuse(thrown, monoMs);
    }
  }

  #refuse(thrown: unknown, monoMs: number): void {
    const { code, message } = asAppError(thrown, "request.malformed");
    this.#send({ type: "error", code, message }, monoMs);
  }

  /** Of several subscriptions asked at once the last one counts. A foreign tag is refused like one that never was. */
  async #ask(id: number, asked: readonly number[], monoMs: number, nowMs: number): Promise<void> {
    const turn = ++this.#asked;
    const tags = [...new Set(asked)].slice(0, LIMITS.liveTagsMax);
    try {
      const { unknown, gateways } = await this.look(tags);
      if (turn !== this.#asked) return;
      if (unknown.length > 0) {
        throw new AppError("entity.missing", `tags: there is no tag ${unknown.slice(0, 5).join(", ")}.`);
      }
      this.#gateways = gateways;
      this.#subscribe(id, tags, monoMs, nowMs);
    } catch (thrown) {
      if (turn !== this.#asked) return;
      // What was watched before is no longer asked for, and may be what is no longer allowed.
      this.#id = 0;
      this.#tags = [];
      this.#refuse(thrown, monoMs);
    }
  }

  /** Sends what changed since the last time, as long as the browser keeps up. */
  tick(monoMs: number, nowMs: number): void {
    if (this.socket.bufferedBytes() > LIVE.bufferedBytesMax) return;
    const { cache } = this.sources;
    if (this.#id > 0) {
      const gateways = this.#changedLinks();
      const values: LiveValue[] = [];
      if (cache.version !== this.#version) {
        for (const tagNo of this.#tags) {
          if (cache.versionOf(tagNo) <= this.#version) continue;
          const latest = cache.read(tagNo);
          if (latest) values.push(mapLive(latest));
        }
        this.#version = cache.version;
      }
      if (values.length > 0 || gateways.length > 0) {
        this.#send({ type: "delta", id: this.#id, seq: ++this.#seq, values, gateways }, monoMs);
      }
    }
    if (monoMs - this.#spokeMonoMs >= LIVE.heartbeatMs) this.#send({ type: "hb", hubTimeMs: nowMs }, monoMs);
  }

  #subscribe(id: number, tags: readonly number[], monoMs: number, nowMs: number): void {
    const { cache } = this.sources;
    this.#id = id;
    this.#seq = 0;
    this.#tags = tags;
    this.#version = cache.version;
    this.#linksTold = new Map();
    this.#linksVersion = -1;
    const values = this.#tags.flatMap((tagNo) => {
      const latest = cache.read(tagNo);
      return latest ? [mapLive(latest)] : [];
    });
    const gateways = this.#changedLinks();
    this.#send({ type: "snapshot", id, seq: 0, hubTimeMs: nowMs, values, gateways }, monoMs);
  }

  #changedLinks(): LiveGateway[] {
    const changed: LiveGateway[] = [];
    const version = this.sources.linksVersion();
    if (version === this.#linksVersion) return changed;
    this.#linksVersion = version;
    for (const [gatewayId, link] of this.sources.links()) {
      if (this.#linksTold.get(gatewayId) === link || this.#gateways?.has(gatewayId) === false) continue;
      this.#linksTold.set(gatewayId, link);
      changed.push({ gatewayId, linkState: link.linkState, sinceMs: link.sinceMs });
    }
    return changed;
  }

  #send(message: LiveServerMessage, monoMs: number): void {
    this.#spokeMonoMs = monoMs;
    // A hole in the sequence makes the browser subscribe again; a dropped message needs no other remedy.
    this.socket.send(JSON.stringify(message));
  }
}
