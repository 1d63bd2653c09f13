import type { VariantLike } from "./codec.ts";
import type { EndpointLike } from "./endpoint.ts";
import type { DataValueLike } from "./values.ts";

/** The services of OPC 10000-4 that the driver uses, as plain data. `session.ts` speaks them; tests may too. */
export interface Wire {
  /** Values, or other attributes, in the order of the question. */
  read(nodes: readonly ReadNode[]): Promise<DataValueLike[]>;
  /**
   * Values into nodes, in one request that is sent once, whatever becomes of the session. One status for each.
   * @param timeoutMs after which the server need not begin any more
   */
  write(nodes: readonly WriteNode[], timeoutMs: number): Promise<StatusLike[]>;
  createSubscription(wish: SubscriptionWish): Promise<SubscriptionMade>;
  /** One status for each item, in their order. */
  createItems(subscriptionId: number, items: readonly ItemWish[]): Promise<StatusLike[]>;
  deleteSubscription(subscriptionId: number): Promise<void>;
  /** Resolves when the server has something to tell, or shows that it is there. */
  publish(acknowledged: readonly Ack[], timeoutMs: number): Promise<News>;
  /** References that lead down from a node. `continuation` of the answer goes on where this one ended. */
  browse(node: string, referencesMax: number): Promise<References>;
  browseNext(continuation: Uint8Array): Promise<References>;
  /** The server may forget this continuation. */
  release(continuation: Uint8Array): Promise<void>;
  /** Ends session, channel and socket. Safe to call twice; never takes longer than `CLOSE_MS`. */
  close(): Promise<void>;
}

export interface StatusLike {
  value: number;
  name: string;
}

/** Attributes we read (OPC 10000-6, A.1). */
export const ATTRIBUTE = { value: 13, dataType: 14, valueRank: 15 } as const;

export interface NodeElement {
  node: string;
  element: string | null;
}

export interface ReadNode extends NodeElement {
  attribute: number;
}

export interface WriteNode extends NodeElement {
  variant: VariantLike;
}

export interface SubscriptionWish {
  publishMs: number;
  /** Publishing intervals without news after which the server shows that it is there. */
  keepAliveCount: number;
  /** Publishing intervals without a question of ours after which the server forgets the subscription. */
  lifetimeCount: number;
}

export interface SubscriptionMade extends SubscriptionWish {
  id: number;
}

export interface ItemWish {
  /** Ours; the server hands it back with each value. */
  handle: number;
  node: string;
  element: string | null;
  samplingMs: number;
  queue: number;
  /** Absolute deadband; 0 for none. */
  deadband: number;
}

export interface Ack {
  subscriptionId: number;
  sequence: number;
}

export interface News {
  subscriptionId: number;
  sequence: number;
  /** When the server sent it, by its clock; null when it does not say. */
  publishTimeMs: number | null;
  values: readonly { handle: number; value: DataValueLike }[];
  /** The server ended this subscription, with the name of the status. */
  ended: string | null;
}

export interface Reference {
  node: { namespace: number; type: "i" | "s" | "g" | "b"; id: string };
  name: string;
  /** OPC 10000-3, 8.29: 1 object, 2 variable, 4 method. */
  nodeClass: number;
}

export interface References {
  references: Reference[];
  continuation: Uint8Array | null;
}

/** What a connection is opened with. */
export interface WireTarget {
  endpoint: string;
  /** 1 none, 2 sign, 3 sign and encrypt. */
  mode: number;
  policyUri: string;
  /** The certificate that was judged; nothing else may answer. Null for mode 1. */
  serverCertificate: Uint8Array | null;
  own: OwnIdentity;
  login:
    | { as: "anonymous" }
    | { as: "user"; user: string; password: string }
    | { as: "certificate"; certificatePem: string; keyPem: string };
  sessionTimeoutMs: number;
}

/** The gateway's application certificate. */
export interface OwnIdentity {
  certificate: Uint8Array;
  keyPem: string;
  applicationUri: string;
}

/** How certificates are made; done where the library is known. */
export type MakeCertificate = (wish: {
  applicationUri: string;
  notBefore: Date;
  notAfter: Date;
  keyPem: string | null;
}) => Promise<OwnIdentity>;

/** The library, as the rest of the driver sees it. */
export interface Library {
  /** What a server offers, asked without protection: nothing of it is trusted yet. */
  endpoints(endpoint: string, own: OwnIdentity, signal: AbortSignal): Promise<EndpointLike[]>;
  open(target: WireTarget, onClosed: (why: string) => void, signal: AbortSignal): Promise<Wire>;
  makeCertificate: MakeCertificate;
}

/** Longest time closing may take before the socket is cut. */
export const CLOSE_MS = 800;
