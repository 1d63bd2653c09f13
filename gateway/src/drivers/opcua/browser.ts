import { formatNode, parseAddress } from "@millrace/contract/driver/opcua/address";
import { AppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import type { BrowseNode } from "@millrace/contract/wire/field";
import { LIMITS } from "@millrace/contract/wire/limits";
import type { BrowsePage } from "../../driver/driver.ts";
import { dataTypeOf } from "./codec.ts";
import { statusIn } from "./fault.ts";
import type { Namespaces } from "./namespaces.ts";
import { chunks } from "./plan.ts";
import type { DataValueLike } from "./values.ts";
import { ATTRIBUTE, type Reference, type Wire } from "./wire.ts";

export const BROWSE = {
  /** References asked for at once; the server's continuation point leads on. */
  referencesMax: 500,
  /** Places below one place that are looked at; the search leads to the rest. */
  levelNodesMax: 20_000,
  /** How long a level is kept after somebody looked, so that its next page goes on where the last ended. */
  keptMs: 60_000,
  /** Longest address a tag can have. */
  nodeCharsMax: 500,
} as const;

export interface BrowserDeps {
  clock: Clock;
  nodesMax: number;
  namespaces(): Namespaces;
  ask<T>(doing: string, run: (wire: Wire) => Promise<T>): Promise<T>;
}

const OBJECTS = "i=85";
const OBJECT_CLASS = 1;
const VARIABLE_CLASS = 2;
const NAMES = [
  "",
  "Boolean",
  "SByte",
  "Byte",
  "Int16",
  "UInt16",
  "Int32",
  "UInt32",
  "Int64",
  "UInt64",
  "Float",
  "Double",
  "String",
  "DateTime",
  "Guid",
  "ByteString",
  "XmlElement",
  "NodeId",
  "ExpandedNodeId",
  "StatusCode",
  "QualifiedName",
  "LocalizedText",
] as const;

/** What is known of one place so far. */
interface Level {
  from: string;
  usedMonoMs: number;
  seen: Map<string, Reference>;
  /** Where the server goes on; null when it said everything. */
  continuation: Uint8Array | null;
}

/**
 * Looks through a server's address space level by level, and along a level only as far as somebody looks. One request at
 * a time; the server holds one continuation point for us at most.
 */
export class Browser {
  readonly #deps: BrowserDeps;
  #level: Level | null = null;

  constructor(deps: BrowserDeps) {
    this.#deps = deps;
  }

  /** @throws AppError `address.illegal` when there is no such place; as `Session.read` does */
  async page(from: string, after: number, signal: AbortSignal): Promise<BrowsePage> {
    const place = from === "" ? OBJECTS : from;
    const level = (await this.#kept(place)) ?? (await this.#begun(place));
    await this.#follow(level, after + LIMITS.fieldNodesMax + 1, signal);
    const references = [...level.seen.values()];
    const page = references.slice(after, after + LIMITS.fieldNodesMax);
    const end = after + page.length;
    return { nodes: await this.#described(page), after: end < references.length ? end : null };
  }

  /** The level of before; whoever looks elsewhere leaves it. */
  async #kept(from: string): Promise<Level | null> {
    const level = this.#level;
    const nowMs = this.#deps.clock.monoMs();
    if (level?.from === from && nowMs - level.usedMonoMs < BROWSE.keptMs) {
      level.usedMonoMs = nowMs;
      return level;
    }
    this.#level = null;
    if (level !== null) await this.#leave(level);
    return null;
  }

  async #begun(from: string): Promise<Level> {
    const node = this.#deps.namespaces().resolve(parseAddress(from));
    if (node === null) throw noSuchPlace(from, "the server has no such namespace");
    const { references, continuation } = await this.#ask(from, (wire) =>
      wire.browse(node, BROWSE.referencesMax),
    );
    const level = { from, usedMonoMs: this.#deps.clock.monoMs(), seen: new Map(), continuation };
    take(level, references);
    this.#level = level;
    return level;
  }

  async #follow(level: Level, wanted: number, signal: AbortSignal): Promise<void> {
    while (level.continuation !== null && level.seen.size < wanted) {
      signal.throwIfAborted();
      const { continuation } = level;
      if (level.seen.size >= BROWSE.levelNodesMax) return this.#leave(level);
      // It counts once. After a failure the level is begun anew.
      level.continuation = null;
      this.#level = null;
      const answer = await this.#ask(level.from, (wire) => wire.browseNext(continuation));
      level.continuation = answer.continuation;
      this.#level = level;
      // A server that leads in a circle would be followed for ever.
      if (!take(level, answer.references)) return this.#leave(level);
    }
  }

  /** A continuation point that is left behind is one the server cannot give to others. */
  async #leave(level: Level): Promise<void> {
    const { continuation } = level;
    level.continuation = null;
    if (continuation === null) return;
    // A courtesy; what is wrong with the server is told by the next question.
    await this.#ask(level.from, (wire) => wire.release(continuation)).catch(() => undefined);
  }

  async #ask<T>(from: string, run: (wire: Wire) => Promise<T>): Promise<T> {
    try {
      return await this.#deps.ask("browsing", run);
    } catch (thrown) {
      const status = statusIn(thrown) ?? String((thrown as AppError).context?.status ?? "");
      if (/^BadNodeId/.test(status)) throw noSuchPlace(from, `the server does not know it (${status})`);
      throw thrown;
    }
  }

  async #described(page: readonly Reference[]): Promise<BrowseNode[]> {
    const values = page.filter(({ nodeClass }) => nodeClass === VARIABLE_CLASS);
    const types = await this.#types(values);
    const namespaces = this.#deps.namespaces();
    const portable = ({ node: { namespace, type, id } }: Reference) =>
      namespaces.portable(namespace, type, id);
    return (
      page
        .filter(({ nodeClass }) => nodeClass === OBJECT_CLASS || nodeClass === VARIABLE_CLASS)
        .map((one) => ({ one, node: formatNode(portable(one)) }))
        // No tag could name it, and a name that is cut is another's.
        .filter(({ node }) => node.length <= BROWSE.nodeCharsMax)
        .map(({ one, node }): BrowseNode => {
          const name = one.name.slice(0, 200);
          if (one.nodeClass === OBJECT_CLASS)
            return { node, name, holds: "places", dataType: null, typeName: "", leadsOn: true };
          const { builtIn, isArray, own } = types.get(one) ?? { builtIn: 0, isArray: false, own: "" };
          const dataType = isArray ? null : dataTypeOf(builtIn);
          const typeName = `${NAMES[builtIn] || own}${isArray ? "[]" : ""}`;
          // Structures and tables often have their members as nodes of their own below them.
          return { node, name, holds: "value", dataType, typeName, leadsOn: dataType === null };
        })
    );
  }

  /** The built-in type of each: by its declaration, else, for types of the server's own, by its present value. */
  async #types(values: readonly Reference[]): Promise<Map<Reference, TypeFound>> {
    const found = new Map<Reference, TypeFound>();
    const half = Math.max(1, Math.floor(this.#deps.nodesMax / 2));
    for (const group of chunks(values, half)) {
      const answers = await this.#read(group.flatMap((one) => [ask(one, "dataType"), ask(one, "valueRank")]));
      group.forEach((one, at) => {
        found.set(one, declared(answers[2 * at], answers[2 * at + 1]));
      });
    }
    const open = values.filter((one) => found.get(one)?.builtIn === 0);
    for (const group of chunks(open, this.#deps.nodesMax)) {
      const answers = await this.#read(group.map((one) => ask(one, "value")));
      group.forEach((one, at) => {
        const variant = answers[at]?.value;
        if (!variant || variant.dataType > 21) return;
        const own = found.get(one)?.own ?? "";
        found.set(one, { builtIn: variant.dataType, isArray: variant.arrayType !== 0, own });
      });
    }
    return found;
  }

  #read(nodes: Parameters<Wire["read"]>[0]): Promise<DataValueLike[]> {
    return nodes.length === 0
      ? Promise.resolve([])
      : this.#deps.ask("reading types", (wire) => wire.read(nodes));
  }
}

interface TypeFound {
  /** 0 when it is a type of the server's own. */
  builtIn: number;
  isArray: boolean;
  /** The server's own word for it. */
  own: string;
}

/** True when any of them was new. */
function take({ seen }: Level, found: readonly Reference[]): boolean {
  const before = seen.size;
  for (const one of found) seen.set(`${one.node.namespace};${one.node.type}=${one.node.id}`, one);
  return seen.size > before;
}

const ask = ({ node }: Reference, attribute: keyof typeof ATTRIBUTE) => ({
  node: `ns=${node.namespace};${node.type}=${node.id}`,
  attribute: ATTRIBUTE[attribute],
  element: null,
});

function declared(type: DataValueLike | undefined, rank: DataValueLike | undefined): TypeFound {
  const id = type?.value?.value as { namespace?: number; value?: unknown } | null | undefined;
  const number = id?.namespace === 0 && typeof id.value === "number" ? id.value : 0;
  const isArray = typeof rank?.value?.value === "number" && rank.value.value >= 0;
  const own = id === null || id === undefined ? "" : String(id).slice(0, 100);
  return { builtIn: number > 0 && number <= 21 ? number : 0, isArray, own };
}

const noSuchPlace = (from: string, why: string): AppError =>
  new AppError("address.illegal", `"${from.slice(0, 120)}": ${why}.`, {
    context: { address: from.slice(0, 120) },
  });
