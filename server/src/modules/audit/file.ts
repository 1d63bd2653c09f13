import { AUDIT_CLIENTS } from "@millrace/contract/api/audit";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { ChainWalk, type WalkOptions } from "./chain.ts";
import { AUDIT } from "./limits.ts";

const Hex = Type.String({ pattern: "^[0-9a-f]{64}$" });
const Facts = Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]);
const Key = Type.String({ maxLength: 100 });

const HeadLine = Type.Object({
  kind: Type.Literal("head"),
  format: Type.Literal("millrace-audit-v1"),
  hubId: Type.String({ maxLength: 64 }),
  publicKey: Key,
});
const RowLine = Type.Object({
  kind: Type.Literal("row"),
  no: Type.Integer(),
  atMs: Type.Number(),
  who: Type.String(),
  action: Type.String(),
  subject: Type.String(),
  old: Facts,
  new: Facts,
  from: Type.Union([
    Type.Object({
      address: Type.String(),
      client: Type.Union(AUDIT_CLIENTS.map((client) => Type.Literal(client))),
    }),
    Type.Null(),
  ]),
  prevHash: Hex,
  hash: Hex,
});
const AnchorLine = Type.Object({
  kind: Type.Union([Type.Literal("anchor"), Type.Literal("end")]),
  no: Type.Integer({ minimum: 0 }),
  hash: Hex,
  atMs: Type.Number(),
  hubId: Type.String({ maxLength: 64 }),
  publicKey: Key,
  signature: Type.String({ maxLength: 200 }),
});
const Line = Type.Union([HeadLine, RowLine, AnchorLine]);
type Line = Static<typeof Line>;

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));

/** A line of an export; null for anything else. */
export function parseLine(text: string): Line | null {
  try {
    const found: unknown = JSON.parse(text);
    return Value.Check(Line, found) ? found : null;
  } catch {
    return null;
  }
}

/** Lines of a stream. A line over the limit comes as an empty one, which no export has. */
export async function* linesOf(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
    if (rest.length > AUDIT.lineBytesMax) {
      yield "";
      return;
    }
  }
  if (rest !== "") yield rest;
}

export interface FileWalk {
  walk: ChainWalk;
  /** Key the file itself names; whose it is, the file cannot prove. */
  publicKey: string | null;
}

/**
 * Walks an exported chain, a line in memory at a time. A file that does not close with its signed end was cut off.
 * @param options.keys null takes the key the file names
 */
export async function walkFile(lines: AsyncIterable<string>, options: WalkOptions): Promise<FileWalk> {
  const walk = new ChainWalk(options);
  let publicKey: string | null = null;
  let place: "head" | "rows" | "end" = "head";
  for await (const text of lines) {
    const line = parseLine(text);
    if (walk.broken !== null) {
      if (walk.broken.why !== "row.missing") break;
      if (line?.kind === "row") walk.takeLater(line);
      continue;
    }
    if (line === null || (line.kind === "head") !== (place === "head") || place === "end") {
      walk.breakAt(walk.rows + 1, "row.unreadable");
    } else if (line.kind === "head") {
      publicKey = line.publicKey;
      place = "rows";
    } else if (line.kind === "row") {
      walk.take({ ...line, prevHash: bytesOf(line.prevHash), hash: bytesOf(line.hash) });
    } else {
      walk.takeAnchor({ ...line, hash: bytesOf(line.hash) });
      if (line.kind === "end") place = "end";
    }
  }
  if (place !== "end") walk.breakAt(walk.rows + 1, "end.missing");
  walk.end();
  return { walk, publicKey };
}
