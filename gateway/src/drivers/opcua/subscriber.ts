import type { OpcuaAddress } from "@millrace/contract/driver/opcua/address";
import type { OpcuaSettings } from "@millrace/contract/driver/opcua/settings";
import type { Clock } from "@millrace/contract/std/clock";
import type { Reading, Subscription, Wish } from "../../driver/driver.ts";
import type { Namespaces } from "./namespaces.ts";
import { chunkSize, chunks, type ItemPlan, missingPauseMs, planItem } from "./plan.ts";
import type { PublishLoop } from "./publish-loop.ts";
import { isMissing, overflowed, refusesFilter } from "./status.ts";
import { missingReading, readingOf } from "./values.ts";
import type { News, StatusLike, SubscriptionMade, Wire } from "./wire.ts";

/** What a subscription needs of the session it belongs to. */
export interface SubscriberDeps {
  clock: Clock;
  settings: OpcuaSettings;
  loop: PublishLoop;
  /** Most items in one request, by the server. */
  itemsMax: number;
  namespaces(): Namespaces;
  /** Looks the namespaces up anew: a server that is starting gets them one by one. */
  refreshNamespaces(): Promise<void>;
  /** Runs a request in turn with the others of the session, within its time. */
  ask<T>(doing: string, run: (wire: Wire) => Promise<T>): Promise<T>;
  learn(fact: string): void;
  /** The server's clock, each time it shows it. */
  heardClock(serverMs: number): void;
  /** Whether the server refused filters before; asked of every session only once. */
  filters: { refused: boolean };
}

interface Item {
  wish: Wish<OpcuaAddress>;
  plan: ItemPlan;
}

/** What one subscription shows of the server, for the bus doctor. */
export interface SubscriberFigures {
  missing: number;
  overflows: number;
  /** News that came later than the server promised, and the longest wait for one, ms. */
  lateNews: number;
  latestNewsMs: number;
  /** How often the server sends at best, ms. */
  publishMs: number;
}

/** News may be so much later than promised, for the way and for a moment of work. */
const NEWS_SPARE_MS = 500;

/** The subscription of one device: all its items made in groups, those the server does not know yet asked for again. */
export class Subscriber {
  readonly #deps: SubscriberDeps;
  readonly #items: readonly Item[];
  readonly #emit: (readings: readonly Reading[]) => void;
  /** By handle, which is the place in `#items`. */
  #missing = new Map<number, string>();
  #tries = 0;
  #dueMonoMs = Number.POSITIVE_INFINITY;
  #mending = false;
  #made: SubscriptionMade | null = null;
  #overflows = 0;
  #heardMonoMs: number | null = null;
  #lateNews = 0;
  #latestNewsMs = 0;

  constructor(
    wishes: readonly Wish<OpcuaAddress>[],
    emit: (readings: readonly Reading[]) => void,
    deps: SubscriberDeps,
  ) {
    this.#deps = deps;
    this.#emit = emit;
    this.#items = wishes.map((wish) => ({ wish, plan: planItem(wish, deps.settings) }));
  }

  /** @throws AppError when the server cannot make one, or the link goes */
  async start(): Promise<Subscription> {
    const { settings, loop, ask, learn } = this.#deps;
    const keepAliveCount = Math.max(1, Math.round(settings.keepAliveMs / settings.publishMs));
    const wish = {
      publishMs: settings.publishMs,
      keepAliveCount,
      lifetimeCount: Math.max(3 * keepAliveCount, Math.ceil(settings.sessionTimeoutMs / settings.publishMs)),
    };
    const made = await ask("making a subscription", (wire) => wire.createSubscription(wish));
    this.#made = made;
    const aliveMs = 2 * made.publishMs * made.keepAliveCount + 500;
    if (made.publishMs > 2 * settings.publishMs)
      learn(`sends changes every ${made.publishMs} ms at best, ${settings.publishMs} ms were asked`);
    loop.add(made.id, aliveMs, (news) => this.#hear(news));
    await this.#create([...this.#items.keys()]);
    return { aliveMs };
  }

  /** Ends it at the server, if that still listens. */
  async stop(): Promise<void> {
    const made = this.#made;
    if (made === null) return;
    this.#made = null;
    this.#deps.loop.remove(made.id);
    await this.#deps.ask("ending a subscription", (wire) => wire.deleteSubscription(made.id));
  }

  /** What somebody should know, as a sentence; null for nothing. */
  note(): string | null {
    const [first] = this.#missing;
    if (first === undefined) return null;
    const { name } = { name: first[1] };
    const count = this.#missing.size;
    return `The server does not give ${count} of ${this.#items.length} tags (${name}); they are asked for again and again.`;
  }

  figures(): SubscriberFigures {
    return {
      missing: this.#missing.size,
      overflows: this.#overflows,
      lateNews: this.#lateNews,
      latestNewsMs: this.#latestNewsMs,
      publishMs: this.#made?.publishMs ?? 0,
    };
  }

  /** A server with nothing to tell says so at each keep-alive; one that is late with that has too much to do. */
  #watch(): void {
    const { clock } = this.#deps;
    const waitedMs = this.#heardMonoMs === null ? 0 : clock.monoMs() - this.#heardMonoMs;
    this.#heardMonoMs = clock.monoMs();
    const made = this.#made;
    if (made === null || waitedMs <= made.publishMs * (made.keepAliveCount + 1) + NEWS_SPARE_MS) return;
    this.#lateNews++;
    this.#latestNewsMs = Math.max(this.#latestNewsMs, waitedMs);
  }

  #hear(news: News): void {
    this.#watch();
    const readings: Reading[] = [];
    let lost = 0;
    for (const { handle, value } of news.values) {
      const item = this.#items[handle];
      // Nobody asked for it, so nothing is known of it.
      if (item === undefined) continue;
      if (overflowed(value.statusCode.value)) lost++;
      readings.push(readingOf(item.wish, value));
    }
    if (lost > 0 && this.#overflows === 0)
      this.#deps.learn(
        "throws values away because its queue is too short; raise queueMax or publish more often",
      );
    this.#overflows += lost;
    if (news.publishTimeMs !== null) this.#deps.heardClock(news.publishTimeMs);
    this.#emit(readings);
    // Signs of life come every few seconds, so no timer is needed to ask for the missing again.
    void this.#mend();
  }

  async #create(handles: readonly number[]): Promise<void> {
    const { settings, itemsMax, ask, filters } = this.#deps;
    for (const group of chunks(handles, chunkSize(settings.nodesMax, itemsMax))) {
      const known = this.#resolved(group);
      const statuses = await ask("adding items", (wire) => this.#ask(wire, known, !filters.refused));
      const again = known.filter((_, at) => refusesFilter(statuses[at]?.value ?? 0));
      this.#judge(known, statuses);
      if (again.length === 0) continue;
      filters.refused = true;
      this.#deps.learn("takes no deadband; the gateway filters by itself");
      this.#judge(again, await ask("adding items without a filter", (wire) => this.#ask(wire, again, false)));
    }
    if (this.#missing.size > 0)
      this.#dueMonoMs = this.#deps.clock.monoMs() + missingPauseMs(this.#tries, settings.missingRetryMs);
    else this.#tries = 0;
  }

  /** Those whose namespace the server has; the others are missing. */
  #resolved(handles: readonly number[]): { handle: number; node: string }[] {
    const namespaces = this.#deps.namespaces();
    const unknown: Reading[] = [];
    const known = handles.flatMap((handle) => {
      const { wish } = this.#items[handle]!;
      const node = namespaces.resolve(wish.address);
      if (node !== null) return [{ handle, node }];
      this.#missing.set(handle, "unknown namespace");
      unknown.push(missingReading(wish, "BadNodeIdUnknown"));
      return [];
    });
    if (unknown.length > 0) this.#emit(unknown);
    return known;
  }

  #ask(
    wire: Wire,
    known: readonly { handle: number; node: string }[],
    filters: boolean,
  ): Promise<StatusLike[]> {
    const made = this.#made;
    if (made === null || known.length === 0) return Promise.resolve([]);
    return wire.createItems(
      made.id,
      known.map(({ handle, node }) => {
        const { wish, plan } = this.#items[handle]!;
        const { samplingMs, queue, deadband } = plan;
        const { element } = wish.address;
        return { handle, node, element, samplingMs, queue, deadband: filters ? deadband : 0 };
      }),
    );
  }

  #judge(known: readonly { handle: number }[], statuses: readonly StatusLike[]): void {
    const refused: Reading[] = [];
    known.forEach(({ handle }, at) => {
      const status = statuses[at] ?? { value: 0x80010000, name: "BadUnexpectedError" };
      if (status.value >>> 30 < 2) {
        this.#missing.delete(handle);
        return;
      }
      if (refusesFilter(status.value)) return;
      this.#missing.set(handle, status.name);
      const { wish } = this.#items[handle]!;
      refused.push(
        isMissing(status.value) ? missingReading(wish, status.name) : readingOf(wish, { statusCode: status }),
      );
    });
    if (refused.length > 0) this.#emit(refused);
  }

  /** Asks again for what the server did not know, with growing pauses. A failure waits for the next time. */
  async #mend(): Promise<void> {
    if (this.#mending || this.#missing.size === 0 || this.#made === null) return;
    if (this.#deps.clock.monoMs() < this.#dueMonoMs) return;
    this.#mending = true;
    this.#tries++;
    this.#dueMonoMs = Number.POSITIVE_INFINITY;
    try {
      await this.#deps.refreshNamespaces();
      await this.#create([...this.#missing.keys()]);
    } catch {
      // The link's own trouble is told by the loop; anything else is tried again.
      this.#dueMonoMs =
        this.#deps.clock.monoMs() + missingPauseMs(this.#tries, this.#deps.settings.missingRetryMs);
    } finally {
      this.#mending = false;
    }
  }
}
