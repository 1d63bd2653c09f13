import type { OpcuaAddress } from "@millrace/contract/driver/opcua/address";
import type { OpcuaSettings } from "@millrace/contract/driver/opcua/settings";
import { opcuaSettingsProblem } from "@millrace/contract/driver/opcua/settings";
import { AppError } from "@millrace/contract/error/app-error";
import type {
  BrowsePage,
  Point,
  PointWrite,
  Reading,
  Session,
  SessionCounters,
  SessionDeps,
  Subscription,
  Visit,
  Wish,
  WriteOutcome,
} from "../../driver/driver.ts";
import { type Keep, keepInMemory } from "../../driver/keep.ts";
import { Asking } from "./asking.ts";
import { Browser } from "./browser.ts";
import { clockNote } from "./clock.ts";
import { connectTo, type Known } from "./connect.ts";
import { diagnose } from "./doctor.ts";
import { faultOf, statusIn } from "./fault.ts";
import { Namespaces } from "./namespaces.ts";
import { chunkSize, chunks, type ServerLimits } from "./plan.ts";
import { PublishLoop } from "./publish-loop.ts";
import { Subscriber, type SubscriberFigures } from "./subscriber.ts";
import { missingReading, readingOf } from "./values.ts";
import { ATTRIBUTE, type Library, type NodeElement, type Wire } from "./wire.ts";
import { NodeTypes, writeAll } from "./writer.ts";

/** Facts kept about one server. */
const FACTS_MAX = 16;
/** Nodes of OPC 10000-6, annex A, that every session asks for first. */
const FIRST = {
  namespaces: "ns=0;i=2255",
  time: "ns=0;i=2258",
  read: "ns=0;i=11705",
  write: "ns=0;i=11707",
  browse: "ns=0;i=11710",
  monitor: "ns=0;i=11714",
} as const;

/** One session with a server: connecting and trust, reading, subscribing, browsing. */
export class OpcuaSession implements Session<OpcuaAddress> {
  readonly diagnose = diagnose;
  readonly #settings: OpcuaSettings;
  readonly #deps: SessionDeps;
  readonly #library: Library;
  readonly #keep: Keep;
  readonly #asking: Asking;
  readonly #subscribers = new Set<Subscriber>();
  readonly #learned: string[] = [];
  readonly #types = new NodeTypes();
  readonly #filters = { refused: false };
  /** What was judged at the first connect and need not be asked for again. */
  #known: Known | null = null;
  #loop: PublishLoop | null = null;
  #browser: Browser | null = null;
  #namespaces = new Namespaces([]);
  #limits: ServerLimits = { read: 0, write: 0, monitor: 0, browse: 0 };
  /** Smaller than the server's own word for it, where it refused more. */
  #readMax = Number.POSITIVE_INFINITY;
  #clockOffMs: number | null = null;
  readonly subscribe: Session<OpcuaAddress>["subscribe"];

  constructor(settings: OpcuaSettings, deps: SessionDeps, library: Library) {
    this.#settings = settings;
    this.#deps = deps;
    this.#library = library;
    this.#keep = deps.keep ?? keepInMemory();
    const { endpoint, timeoutMs } = settings;
    this.#asking = new Asking({ clock: deps.clock, endpoint, timeoutMs, meter: deps.meter });
    if (settings.updates === "subscribe")
      this.subscribe = (wishes, emit, signal) => this.#subscribe(wishes, emit, signal);
  }

  async connect(signal: AbortSignal): Promise<void> {
    await this.close();
    signal.throwIfAborted();
    const problem = opcuaSettingsProblem(this.#settings);
    if (problem !== null)
      throw new AppError("setting.wrong", `OPC UA: setting "${problem.setting}": ${problem.message}.`);
    const { clock } = this.#deps;
    const opened = { wire: null as Wire | null };
    const connected = await connectTo({
      settings: this.#settings,
      library: this.#library,
      keep: this.#keep,
      clock,
      known: this.#known,
      onClosed: (why) => this.#lost(opened.wire, why),
      signal,
    });
    opened.wire = connected.wire;
    this.#known = connected.known;
    this.#asking.up(connected.wire);
    try {
      await this.#askFirst(signal);
    } catch (thrown) {
      await this.close();
      throw thrown;
    }
    this.#loop = new PublishLoop(connected.wire, (trouble) => this.#lost(connected.wire, trouble));
    this.#browser = this.#newBrowser();
  }

  async #askFirst(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const startMs = clock.nowMs();
    const nodes = Object.values(FIRST).map((node) => ({ node, attribute: ATTRIBUTE.value, element: null }));
    const answers = await this.#asking.ask("asking for its limits", (wire) => wire.read(nodes), signal);
    const [uris, time, ...limits] = answers.map(({ value }) => value?.value);
    this.#namespaces = new Namespaces(Array.isArray(uris) ? uris.map(String) : []);
    const [read = 0, write = 0, browse = 0, monitor = 0] = limits.map((one) =>
      typeof one === "number" ? one : 0,
    );
    this.#limits = { read, write, browse, monitor };
    if (time instanceof Date) this.#clockOffMs = time.getTime() - (startMs + clock.nowMs()) / 2;
  }

  read(points: readonly Point<OpcuaAddress>[], signal: AbortSignal): Promise<Reading[]> {
    return this.#read(points, signal, () => undefined);
  }

  /** @param told hears why a point was refused, in the server's words */
  async #read(
    points: readonly Point<OpcuaAddress>[],
    signal: AbortSignal,
    told: (point: Point<OpcuaAddress>, status: string) => void,
  ): Promise<Reading[]> {
    const readings: Reading[] = [];
    const known = points.flatMap((point) => {
      const node = this.#namespaces.resolve(point.address);
      if (node !== null) return [{ point, node }];
      told(point, "the server has no such namespace");
      readings.push(missingReading(point, "BadNodeIdUnknown"));
      return [];
    });
    // Nothing of it can be asked; that the server is there has to be seen all the same.
    if (known.length === 0 && points.length > 0) await this.#refreshNamespaces(signal);
    let rest = known;
    while (rest.length > 0) {
      const part = rest.slice(0, this.#chunk());
      const answers = await this.#readPart(part, signal);
      if (answers === null) continue;
      rest = rest.slice(part.length);
      part.forEach(({ point, node }, at) => {
        const data = answers[at]!;
        this.#types.note(node, data.value);
        if (data.statusCode.value !== 0) told(point, `the server says ${data.statusCode.name}`);
        readings.push(readingOf(point, data));
      });
    }
    return readings;
  }

  write(points: readonly PointWrite<OpcuaAddress>[], signal: AbortSignal): Promise<WriteOutcome[]> {
    const { nodesMax, timeoutMs } = this.#settings;
    return writeAll(points, {
      nodesMax: chunkSize(nodesMax, this.#limits.write),
      resolve: (address) => this.#namespaces.resolve(address),
      types: this.#types,
      learnTypes: (nodes) => this.#learnTypes(nodes, signal),
      send: (nodes, onSent) =>
        this.#asking.ask(
          `writing ${nodes.length} nodes`,
          (wire) => {
            onSent();
            return wire.write(nodes, timeoutMs);
          },
          signal,
        ),
    });
  }

  async #learnTypes(missing: readonly NodeElement[], signal: AbortSignal): Promise<void> {
    for (const part of chunks(missing, this.#chunk())) {
      const nodes = part.map((one) => ({ ...one, attribute: ATTRIBUTE.value }));
      const answers = await this.#asking.ask("asking for types", (wire) => wire.read(nodes), signal);
      for (const [at, { node }] of part.entries()) this.#types.learn(node, answers[at]?.value);
    }
  }

  /** Null when the server takes fewer nodes at once than we thought: half as many are asked next. */
  async #readPart(part: readonly { point: Point<OpcuaAddress>; node: string }[], signal: AbortSignal) {
    const nodes = part.map(({ point, node }) => ({
      node,
      attribute: ATTRIBUTE.value,
      element: point.address.element,
    }));
    try {
      const answers = await this.#asking.ask(
        `reading ${nodes.length} nodes`,
        (wire) => wire.read(nodes),
        signal,
      );
      if (answers.length === nodes.length) return answers;
      throw new AppError(
        "link.garbled",
        `${this.#settings.endpoint}: ${answers.length} values came for ${nodes.length} nodes.`,
      );
    } catch (thrown) {
      const tooMany = statusIn(thrown) ?? (thrown as AppError).context?.status;
      if (
        !/^Bad(TooManyOperations|EncodingLimitsExceeded|ResponseTooLarge|RequestTooLarge)$/.test(
          String(tooMany),
        )
      )
        throw thrown;
      if (part.length <= 1) throw thrown;
      this.#readMax = Math.max(1, Math.floor(part.length / 2));
      this.#learn(`takes at most ${this.#readMax} nodes in one request`);
      return null;
    }
  }

  #chunk(): number {
    return Math.min(chunkSize(this.#settings.nodesMax, this.#limits.read), this.#readMax);
  }

  async #subscribe(
    wishes: readonly Wish<OpcuaAddress>[],
    emit: (readings: readonly Reading[]) => void,
    signal: AbortSignal,
  ): Promise<Subscription | null> {
    const loop = this.#loop;
    if (loop === null) throw new AppError("link.lost", `${this.#settings.endpoint}: not connected.`);
    const subscriber = new Subscriber(wishes, emit, {
      clock: this.#deps.clock,
      settings: this.#settings,
      loop,
      itemsMax: this.#limits.monitor,
      namespaces: () => this.#namespaces,
      refreshNamespaces: () => this.#refreshNamespaces(),
      ask: (doing, run) => this.#asking.ask(doing, run),
      learn: (fact) => this.#learn(fact),
      heardClock: (serverMs) => {
        this.#clockOffMs = serverMs - this.#deps.clock.nowMs();
      },
      filters: this.#filters,
    });
    const stop = () => {
      this.#subscribers.delete(subscriber);
      subscriber.stop().catch(() => undefined);
    };
    this.#subscribers.add(subscriber);
    signal.addEventListener("abort", stop, { once: true });
    try {
      return await subscriber.start();
    } catch (thrown) {
      signal.removeEventListener("abort", stop);
      stop();
      const status = statusIn(thrown) ?? (thrown as AppError).context?.status;
      if (!/^Bad(ServiceUnsupported|TooManySubscriptions|NotImplemented|NotSupported)$/.test(String(status)))
        throw thrown;
      this.#learn(`takes no subscription (${status}); every tag is read at its interval`);
      return null;
    }
  }

  browse(from: string, after: number, signal: AbortSignal): Promise<BrowsePage> {
    if (this.#browser === null) throw new AppError("link.lost", `${this.#settings.endpoint}: not connected.`);
    return this.#browser.page(from, after, signal);
  }

  #newBrowser(): Browser {
    return new Browser({
      clock: this.#deps.clock,
      nodesMax: this.#chunk(),
      namespaces: () => this.#namespaces,
      ask: (doing, run) => this.#asking.ask(doing, run),
    });
  }

  async #refreshNamespaces(signal?: AbortSignal): Promise<void> {
    const nodes = [{ node: FIRST.namespaces, attribute: ATTRIBUTE.value, element: null }];
    const [answer] = await this.#asking.ask("reading its namespaces", (wire) => wire.read(nodes), signal);
    const uris = answer?.value?.value;
    if (Array.isArray(uris)) this.#namespaces = new Namespaces(uris.map(String));
  }

  counters(): SessionCounters {
    const notes = [clockNote(this.#clockOffMs), ...[...this.#subscribers].map((one) => one.note())];
    const note = notes.filter((one) => one !== null).join(" ");
    const { requests, errors, roundTripMs } = this.#asking;
    const certificate = this.#known?.certificate ?? null;
    return {
      requests,
      errors,
      roundTripMs,
      learned: this.#learned,
      ...(note === "" ? {} : { note }),
      ...(certificate === null ? {} : { certificate }),
    };
  }

  figures(): Readonly<Record<string, number>> {
    const told = [...this.#subscribers].map((one) => one.figures());
    const sum = (of: (one: SubscriberFigures) => number) => told.reduce((all, one) => all + of(one), 0);
    return {
      clockOffMs: this.#clockOffMs ?? 0,
      missing: sum((one) => one.missing),
      overflows: sum((one) => one.overflows),
      lateNews: sum((one) => one.lateNews),
      latestNewsMs: Math.max(0, ...told.map((one) => one.latestNewsMs)),
      publishMs: Math.max(0, ...told.map((one) => one.publishMs)),
    };
  }

  visit(): Visit<OpcuaAddress> {
    const told = new Map<number, string>();
    return {
      read: (points, signal) => this.#read(points, signal, ({ id }, status) => told.set(id, status)),
      requestsFor: (points) => chunks(points, this.#chunk()).length,
      explain: ({ id }) => told.get(id) ?? null,
    };
  }

  async close(): Promise<void> {
    const { wire } = this.#asking;
    this.#end(new AppError("link.lost", `${this.#settings.endpoint}: not connected.`));
    await wire?.close();
  }

  #end(why: AppError): boolean {
    this.#loop?.end();
    this.#loop = null;
    this.#browser = null;
    this.#subscribers.clear();
    return this.#asking.down(why);
  }

  /** The link ended by itself. Whoever waits for an answer hears it there; otherwise the supervisor is told. */
  #lost(wire: Wire | null, why: unknown): void {
    if (wire === null || this.#asking.wire !== wire) return;
    const told = faultOf(why, this.#settings.endpoint, "while connected", "ask");
    const error = told.code.startsWith("link.")
      ? told
      : new AppError("link.lost", told.message, { cause: why });
    const waited = this.#end(error);
    void wire.close();
    if (!waited) this.#deps.onLost(error);
  }

  #learn(fact: string): void {
    if (this.#learned.includes(fact) || this.#learned.length >= FACTS_MAX) return;
    this.#learned.push(fact);
  }
}
