import type { DataValueLike } from "./values.ts";
import type { News, Reference, References } from "./wire.ts";

/** What the library's answers look like, as far as we look, and what we make of them. Pure. */

interface PublishAnswer {
  subscriptionId: number;
  notificationMessage: {
    sequenceNumber: number;
    publishTime?: Date | null;
    notificationData?: readonly unknown[] | null;
  };
}

interface Notification {
  monitoredItems?: readonly { clientHandle: number; value: DataValueLike }[] | null;
  status?: { name: string };
}

export function newsOf({ subscriptionId, notificationMessage }: PublishAnswer): News {
  const { sequenceNumber, publishTime, notificationData } = notificationMessage;
  const values: { handle: number; value: DataValueLike }[] = [];
  let ended: string | null = null;
  for (const one of (notificationData ?? []) as (Notification | null)[]) {
    for (const { clientHandle, value } of one?.monitoredItems ?? [])
      values.push({ handle: clientHandle, value });
    // Of all notifications only the change of a subscription's status has one.
    if (one?.status !== undefined) ended = one.status.name;
  }
  const atMs = publishTime?.getTime() ?? 0;
  return { subscriptionId, sequence: sequenceNumber, publishTimeMs: atMs > 0 ? atMs : null, values, ended };
}

const TYPES = { 1: "i", 2: "s", 3: "g", 4: "b" } as const;

interface BrowseAnswer {
  statusCode: { value: number; name: string };
  continuationPoint?: Uint8Array | null;
  references?: readonly ReferenceLike[] | null;
}

interface ReferenceLike {
  nodeId: { identifierType: number; value: unknown; namespace: number; serverIndex?: number };
  browseName: { name?: string | null };
  displayName: { text?: string | null };
  nodeClass: number;
}

/** @throws Error naming the status when the server refused the place */
export function referencesOf({ statusCode, continuationPoint, references }: BrowseAnswer): References {
  if (statusCode.value >>> 30 !== 0) throw new Error(`browse ended with ${statusCode.name}`);
  return {
    references: (references ?? []).flatMap((one) => referenceOf(one) ?? []),
    continuation:
      continuationPoint && continuationPoint.length > 0 ? new Uint8Array(continuationPoint) : null,
  };
}

/** Null for a node of another server, which is browsed there. */
function referenceOf({ nodeId, browseName, displayName, nodeClass }: ReferenceLike): Reference | null {
  const type = TYPES[nodeId.identifierType as keyof typeof TYPES];
  if (type === undefined || (nodeId.serverIndex ?? 0) !== 0) return null;
  const { value } = nodeId;
  const id = value instanceof Uint8Array ? Buffer.from(value).toString("base64") : String(value);
  return {
    node: { namespace: nodeId.namespace, type, id: type === "g" ? id.toLowerCase() : id },
    name: displayName.text || browseName.name || id,
    nodeClass,
  };
}
