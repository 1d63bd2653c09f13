import type { OpcuaAddress } from "@millrace/contract/driver/opcua/address";
import { AppError, asAppError } from "@millrace/contract/error/app-error";
import type { PointWrite, WriteOutcome } from "../../driver/driver.ts";
import { notWritten } from "../../driver/not-written.ts";
import type { VariantLike } from "./codec.ts";
import { type NodeType, variantOf } from "./encode.ts";
import { chunks } from "./plan.ts";
import type { NodeElement, StatusLike, WriteNode } from "./wire.ts";

/** Nodes whose type is remembered; the others are asked once more before they are written. */
export const TYPES_MAX = 10_000;

/** What nodes held when they were read last: a write must come in the node's own type. */
export class NodeTypes {
  readonly #types = new Map<string, NodeType>();

  note(node: string, variant: VariantLike | null | undefined): void {
    if (variant === null || variant === undefined || variant.dataType === 0) return;
    const { dataType: builtIn, arrayType } = variant;
    const known = this.#types.get(node);
    if (known?.builtIn === builtIn && known.arrayType === arrayType) return;
    if (known === undefined && this.#types.size >= TYPES_MAX) return;
    this.#types.set(node, { builtIn, arrayType });
  }

  /** As `note`, for a node that is about to be written: the one noted first makes room. */
  learn(node: string, variant: VariantLike | null | undefined): void {
    const first = this.#types.keys().next().value;
    if (first !== undefined && this.#types.size >= TYPES_MAX) this.#types.delete(first);
    this.note(node, variant);
  }

  of(node: string): NodeType | undefined {
    return this.#types.get(node);
  }

  /** The server refused this type: another one may be there now. */
  forget(node: string): void {
    this.#types.delete(node);
  }
}

export interface WriterDeps {
  /** Nodes in one request. */
  nodesMax: number;
  /** The node's id at this server; null when the server has no such namespace. */
  resolve(address: OpcuaAddress): string | null;
  types: NodeTypes;
  /** Asks for what it does not know yet. @throws AppError when that cannot be asked */
  learnTypes(missing: readonly NodeElement[]): Promise<void>;
  /** Sends one request, once. `onSent` is called when it leaves. @throws AppError */
  send(nodes: readonly WriteNode[], onSent: () => void): Promise<readonly StatusLike[]>;
}

interface Ready {
  at: number;
  id: number;
  node: WriteNode;
}

/**
 * Writes in the order given, one request after the other. After a request without an answer nothing more is sent.
 * @throws AppError when nothing at all was sent
 */
export async function writeAll(
  points: readonly PointWrite<OpcuaAddress>[],
  deps: WriterDeps,
): Promise<WriteOutcome[]> {
  const named = points.map((point) => ({ point, node: deps.resolve(point.address) }));
  const unknown = named.flatMap(({ point, node }) =>
    node === null || deps.types.of(node) !== undefined ? [] : [{ node, element: point.address.element }],
  );
  if (unknown.length > 0) await deps.learnTypes(unknown);
  const outcomes = new Map<number, WriteOutcome>();
  const ready: Ready[] = [];
  for (const [at, { point, node }] of named.entries()) {
    const made = prepare(point, node, deps.types);
    if ("done" in made) outcomes.set(at, made);
    else ready.push({ at, id: point.id, node: made });
  }
  let over: AppError | null = null;
  let anySent = false;
  for (const job of chunks(ready, deps.nodesMax)) {
    const answer: Sent = over === null ? await sendOne(job, deps) : { notSent: over };
    if ("notSent" in answer) {
      if (!anySent) throw answer.notSent;
      over = asAppError(answer.notSent, "link.lost");
      const { code, message } = over;
      for (const { at, id } of job) outcomes.set(at, notWritten(id, code, `Not written: ${message}`));
      continue;
    }
    anySent = true;
    over = answer.over;
    for (const [index, { at }] of job.entries()) outcomes.set(at, answer.outcomes[index]!);
  }
  return points.map((_, at) => outcomes.get(at)!);
}

type Sent = { outcomes: WriteOutcome[]; over: AppError | null } | { notSent: unknown };

async function sendOne(job: readonly Ready[], { send, types }: WriterDeps): Promise<Sent> {
  let sent = false;
  try {
    const statuses = await send(
      job.map(({ node }) => node),
      () => {
        sent = true;
      },
    );
    if (statuses.length !== job.length) {
      const message = `The server answered ${statuses.length} results to ${job.length} writes.`;
      throw new AppError("link.garbled", message);
    }
    const outcomes = job.map(({ id }, index) => outcomeOf(id, statuses[index]!));
    for (const [index, { node }] of job.entries())
      if (statuses[index]!.name === "BadTypeMismatch") types.forget(node.node);
    return { outcomes, over: null };
  } catch (thrown) {
    if (!sent) return { notSent: thrown };
    const error = asAppError(thrown, "link.lost");
    // The server refused the request as a whole before it did any of it (OPC 10000-4, 7.33 and 7.38).
    const refused = REFUSED_WHOLE.test(String(error.context.status ?? ""));
    const message = refused ? `Not written: ${error.message}` : `${error.message} It may have the value.`;
    const code = error.code === "device.failed" && refused ? "device.refused" : error.code;
    return {
      outcomes: job.map(({ id }) => notWritten(id, code, message, !refused)),
      over: refused ? null : error,
    };
  }
}

/** Service results after which nothing of the request was done. */
const REFUSED_WHOLE =
  /^Bad(TooManyOperations|NothingToDo|UserAccessDenied|ServiceUnsupported|RequestTooLarge|SessionIdInvalid|SessionNotActivated|SecurityModeInsufficient)$/;

function prepare(
  { id, address, value }: PointWrite<OpcuaAddress>,
  node: string | null,
  types: NodeTypes,
): WriteNode | WriteOutcome {
  if (node === null)
    return notWritten(id, "address.illegal", "Not written: the server has no such namespace.");
  const type = types.of(node);
  if (type === undefined)
    return notWritten(
      id,
      "device.refused",
      "Not written: the node holds no value, so its type is not known.",
    );
  try {
    return { node, element: address.element, variant: variantOf(type, value, address.element) };
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    return notWritten(id, "request.invalid", `Not written: ${thrown.message}.`);
  }
}

/** Statuses of one node by which the server says that it did not write (OPC 10000-4, 5.11.4.4). */
const REFUSED: Readonly<Record<string, string>> = {
  BadNotWritable: "the server does not let anybody write this node",
  BadUserAccessDenied:
    "the server does not let this user write: give it the right there, or use another login",
  BadWriteNotSupported: "the server does not write this node in this way",
  BadTypeMismatch: "the node has another type now; try once more",
  BadOutOfRange: "the server says that the value is out of its range",
  BadIndexRangeInvalid: "the node has no such element",
  BadIndexRangeNoData: "the node has no such element",
  BadIndexRangeDataMismatch: "the node has no such element",
  BadInvalidArgument: "the server does not take this value",
  BadInvalidState: "the machine is in a state in which this node is not written",
  BadNotSupported: "the server does not write this node",
  BadNotImplemented: "the server does not write this node",
  BadSecurityModeInsufficient: "the server wants a protected connection for this: set `security`",
  BadLocked: "somebody has locked this node",
};

/** A node that only waits for its source (`BadNotConnected` and its like) is known, and what was sent may reach it later. */
const UNKNOWN_NODE = /^Bad(NodeIdInvalid|NodeIdUnknown|AttributeIdInvalid)$/;

function outcomeOf(id: number, { value, name }: StatusLike): WriteOutcome {
  // Good and uncertain alike: it was taken. Whether it is there shows when it is read back.
  if (value >>> 30 < 2) return { id, done: true };
  if (UNKNOWN_NODE.test(name))
    return notWritten(id, "address.illegal", `Not written: the server knows no such node (${name}).`);
  const why = REFUSED[name];
  if (why !== undefined) return notWritten(id, "device.refused", `Not written: ${why} (${name}).`);
  // What lies behind the server did not answer, or the status says nothing of what was done.
  const code = name === "BadTimeout" ? "device.timeout" : "device.failed";
  return notWritten(id, code, `The server says ${name}. The device may have the value.`, true);
}
