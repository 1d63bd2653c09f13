import { generateKeyPairSync } from "node:crypto";
import { getLogger } from "@logtape/logtape";
import {
  AttributeIds,
  BrowseDirection,
  type ClientSession,
  type ClientSessionPublishService,
  type ClientSessionRawSubscriptionService,
  crypto_utils,
  DataChangeFilter,
  DataChangeTrigger,
  DeadbandType,
  MessageSecurityMode,
  MonitoringMode,
  NodeClass,
  OPCUAClient,
  type OPCUAClientOptions,
  StatusCodes,
  setDebugLogger,
  setErrorLogger,
  setWarningLogger,
  TimestampsToReturn,
  type UserIdentityInfo,
  UserTokenType,
  WriteRequest,
  type WriteResponse,
} from "node-opcua-client";
import { fingerprintOf, firstOf } from "./certificate.ts";
import type { EndpointLike } from "./endpoint.ts";
import { newsOf, referencesOf } from "./library-shapes.ts";
import {
  CLOSE_MS,
  type ItemWish,
  type Library,
  type OwnIdentity,
  type Wire,
  type WireTarget,
} from "./wire.ts";

/** The only file that knows the OPC UA library. It is loaded when the first device of this kind is. */

const log = getLogger(["gateway", "opcua"]);
// The library prints on the console by itself; whoever looks for it finds it in the log of the gateway.
const quiet = (...words: unknown[]) => log.debug("library: {words}", { words: words.map(String).join(" ") });
for (const set of [setDebugLogger, setWarningLogger, setErrorLogger]) set(quiet);
// One file of it knows no logger: a server with status codes of its own would write a line for each value.
const { warn } = console;
console.warn = (...words: unknown[]) =>
  String(words[0]).startsWith("expecting a known StatusCode") ? quiet(...words) : warn(...words);

/** Longest quiet on a socket; the sign of life of the session comes far more often. */
const QUIET_MS_MAX = 2 * 3_600_000;
const BYTES_MAX = 16 * 1024 * 1024;
/** What a server may send in one message: a hostile one must not fill the memory. */
const TRANSPORT = {
  maxMessageSize: BYTES_MAX,
  maxChunkCount: 512,
  receiveBufferSize: 64 * 1024,
  sendBufferSize: 64 * 1024,
};

/** Certificates are judged by us before the library sees them; it shall accept the one we judged and no other. */
class OnlyThis {
  referenceCounter = 0;
  readonly #fingerprint: string | null;

  constructor(certificate: Uint8Array | null) {
    this.#fingerprint = certificate === null ? null : fingerprintOf(certificate);
  }

  #status(certificate: Buffer | Buffer[]) {
    const [first] = Array.isArray(certificate) ? certificate : [certificate];
    const same = first !== undefined && fingerprintOf(firstOf(first)) === this.#fingerprint;
    return same ? StatusCodes.Good : StatusCodes.BadCertificateUntrusted;
  }

  async initialize(): Promise<void> {}
  async dispose(): Promise<void> {}
  checkCertificate = async (certificate: Buffer | Buffer[]) => this.#status(certificate);
  getTrustStatus = async (certificate: Buffer) => this.#status(certificate);
  // Asked of our own certificate only, before it is shown.
  verifyCertificate = async () => "Good";
  async trustCertificate(): Promise<void> {}
  async rejectCertificate(): Promise<void> {}
  async addIssuer(): Promise<void> {}
  async addRevocationList(): Promise<void> {}
}

function providerOf({ certificate, keyPem }: OwnIdentity): OPCUAClientOptions["certificateKeyPairProvider"] {
  const der = Buffer.from(certificate);
  const key = crypto_utils.makePrivateKeyFromPem(keyPem);
  return { getCertificate: () => der, getCertificateChain: () => [der], getPrivateKey: () => key };
}

function clientOf(own: OwnIdentity, accepted: Uint8Array | null, rest: OPCUAClientOptions): OPCUAClient {
  return OPCUAClient.create({
    applicationName: "Millrace",
    applicationUri: own.applicationUri,
    clientName: "Millrace",
    certificateKeyPairProvider: providerOf(own),
    clientCertificateManager: new OnlyThis(accepted),
    // Trying again is the supervisor's business.
    connectionStrategy: { maxRetry: 0, initialDelay: 100, maxDelay: 200 },
    endpointMustExist: false,
    // Not a limit on connecting but on quiet: a server that is asked once an hour is quiet, and there.
    transportTimeout: QUIET_MS_MAX,
    defaultTransactionTimeout: 60_000,
    transportSettings: TRANSPORT,
    ...rest,
  } as OPCUAClientOptions);
}

/** Runs a step of connecting; whoever gives up or takes too long leaves no socket behind. */
async function guarded<T>(
  client: OPCUAClient,
  channel: Channel,
  signal: AbortSignal,
  run: () => Promise<T>,
): Promise<T> {
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    signal.throwIfAborted();
    return await Promise.race([run(), aborted]);
  } catch (thrown) {
    await end(client, channel);
    throw thrown;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** The channel of a client, so that its socket can be cut when nobody answers a farewell. */
interface Channel {
  cut(): void;
}

function channelOf(client: OPCUAClient): Channel {
  let cut = () => {};
  client.on("secure_channel_created", (channel) => {
    cut = () => channel.forceConnectionBreak();
  });
  return { cut: () => cut() };
}

async function end(client: OPCUAClient, channel: Channel): Promise<void> {
  const farewell = client.disconnect().catch(() => undefined);
  const timer = AbortSignal.timeout(CLOSE_MS);
  const late = new Promise<"late">((resolve) => timer.addEventListener("abort", () => resolve("late")));
  if ((await Promise.race([farewell, late])) === "late") channel.cut();
}

function identityOf(login: WireTarget["login"]): UserIdentityInfo {
  if (login.as === "anonymous") return { type: UserTokenType.Anonymous };
  if (login.as === "user")
    return { type: UserTokenType.UserName, userName: login.user, password: login.password };
  return {
    type: UserTokenType.Certificate,
    certificateData: crypto_utils.convertPEMtoDER(login.certificatePem),
    privateKey: login.keyPem,
  };
}

/** Its own types leave out the plain services of OPC 10000-4, which every session has. */
type PlainSession = ClientSession &
  ClientSessionRawSubscriptionService &
  ClientSessionPublishService & {
    /** Asks once. Its public ways ask again in a new session, when nobody may expect a write any more. */
    _performMessageTransaction(
      request: WriteRequest,
      callback: (error: Error | null, answer?: WriteResponse) => void,
    ): void;
  };

/**
 * The library's own subscriptions reconnect by themselves and keep an object with listeners for each item; the plain
 * services leave both to us.
 */
class LibraryWire implements Wire {
  readonly #client: OPCUAClient;
  readonly #channel: Channel;
  readonly #session: PlainSession;
  #closed: Promise<void> | null = null;

  constructor(client: OPCUAClient, channel: Channel, session: ClientSession) {
    this.#client = client;
    this.#channel = channel;
    this.#session = session as PlainSession;
  }

  read: Wire["read"] = (nodes) =>
    this.#session.read(
      nodes.map(({ node, attribute, element }) => ({
        nodeId: node,
        attributeId: attribute,
        ...(element === null ? {} : { indexRange: element as never }),
      })),
      0,
    );

  write: Wire["write"] = (nodes, timeoutMs) =>
    new Promise((resolve, reject) => {
      const request = new WriteRequest({
        requestHeader: { timeoutHint: timeoutMs },
        // Neither status nor times: many servers refuse to write those.
        nodesToWrite: nodes.map(({ node, element, variant }) => ({
          nodeId: node as never,
          attributeId: AttributeIds.Value,
          ...(element === null ? {} : { indexRange: element as never }),
          value: { value: variant as never },
        })),
      });
      this.#session._performMessageTransaction(request, (error, answer) => {
        if (error !== null || answer === undefined) reject(error ?? new Error("no answer"));
        else resolve([...(answer.results ?? [])]);
      });
    });

  createSubscription: Wire["createSubscription"] = async ({ publishMs, keepAliveCount, lifetimeCount }) => {
    const made = await this.#session.createSubscription({
      requestedPublishingInterval: publishMs,
      requestedMaxKeepAliveCount: keepAliveCount,
      requestedLifetimeCount: lifetimeCount,
      maxNotificationsPerPublish: 0,
      publishingEnabled: true,
      priority: 0,
    });
    return {
      id: made.subscriptionId,
      publishMs: made.revisedPublishingInterval,
      keepAliveCount: made.revisedMaxKeepAliveCount,
      lifetimeCount: made.revisedLifetimeCount,
    };
  };

  createItems: Wire["createItems"] = async (subscriptionId, items) => {
    const answer = await this.#session.createMonitoredItems({
      subscriptionId,
      timestampsToReturn: TimestampsToReturn.Both,
      itemsToCreate: items.map(itemOf),
    });
    return (answer.results ?? []).map(({ statusCode }) => statusCode);
  };

  deleteSubscription: Wire["deleteSubscription"] = async (subscriptionId) => {
    await this.#session.deleteSubscriptions({ subscriptionIds: [subscriptionId] });
  };

  publish: Wire["publish"] = (acknowledged, timeoutMs) =>
    new Promise((resolve, reject) => {
      const request = {
        requestHeader: { timeoutHint: timeoutMs },
        subscriptionAcknowledgements: acknowledged.map(({ subscriptionId, sequence }) => ({
          subscriptionId,
          sequenceNumber: sequence,
        })),
      };
      this.#session.publish(request as never, (error, answer) => {
        if (error !== null || answer === undefined) reject(error ?? new Error("no answer"));
        else resolve(newsOf(answer));
      });
    });

  browse: Wire["browse"] = async (node, referencesMax) => {
    this.#session.requestedMaxReferencesPerNode = referencesMax;
    const found = await this.#session.browse({
      nodeId: node,
      referenceTypeId: "HierarchicalReferences",
      includeSubtypes: true,
      browseDirection: BrowseDirection.Forward,
      nodeClassMask: NodeClass.Object | NodeClass.Variable,
      resultMask: 0x3f,
    });
    return referencesOf(found);
  };

  browseNext: Wire["browseNext"] = async (continuation) =>
    referencesOf(await this.#session.browseNext(Buffer.from(continuation), false));

  release: Wire["release"] = async (continuation) => {
    await this.#session.browseNext(Buffer.from(continuation), true);
  };

  close(): Promise<void> {
    this.#closed ??= end(this.#client, this.#channel);
    return this.#closed;
  }
}

function itemOf({ handle, node, element, samplingMs, queue, deadband }: ItemWish) {
  const filter =
    deadband === 0
      ? null
      : new DataChangeFilter({
          trigger: DataChangeTrigger.StatusValue,
          deadbandType: DeadbandType.Absolute,
          deadbandValue: deadband,
        });
  return {
    itemToMonitor: {
      nodeId: node,
      attributeId: AttributeIds.Value,
      ...(element === null ? {} : { indexRange: element as never }),
    },
    monitoringMode: MonitoringMode.Reporting,
    requestedParameters: {
      clientHandle: handle,
      samplingInterval: samplingMs,
      queueSize: queue,
      discardOldest: true,
      filter,
    },
  };
}

export const library: Library = {
  async endpoints(endpoint, own, signal) {
    const client = clientOf(own, null, {
      securityMode: MessageSecurityMode.None,
      securityPolicy: "None",
    });
    const channel = channelOf(client);
    const found = await guarded(client, channel, signal, async () => {
      await client.connect(endpoint);
      return client.getEndpoints({ endpointUrl: endpoint });
    });
    await end(client, channel);
    return found as EndpointLike[];
  },

  async open(target, onClosed, signal) {
    const { serverCertificate, own, sessionTimeoutMs } = target;
    const client = clientOf(own, serverCertificate, {
      securityMode: target.mode as MessageSecurityMode,
      securityPolicy: target.policyUri,
      requestedSessionTimeout: sessionTimeoutMs,
      // A session nobody uses for so long ends at the server: tags read once a minute must not lose theirs.
      keepSessionAlive: true,
      keepAliveInterval: Math.round(sessionTimeoutMs / 3),
      ...(serverCertificate === null ? {} : { serverCertificate: Buffer.from(serverCertificate) }),
    });
    const channel = channelOf(client);
    let told = false;
    client.on("close", (error) => {
      if (!told) onClosed(error?.message ?? "closed");
      told = true;
    });
    return guarded(client, channel, signal, async () => {
      await client.connect(target.endpoint);
      return new LibraryWire(client, channel, await client.createSession(identityOf(target.login)));
    });
  },

  async makeCertificate({ applicationUri, notBefore, notAfter, keyPem }) {
    const pem =
      keyPem ??
      generateKeyPairSync("rsa", {
        modulusLength: 2_048,
        publicKeyEncoding: { type: "spki", format: "pem" },
        privateKeyEncoding: { type: "pkcs8", format: "pem" },
      }).privateKey;
    const { cert } = await crypto_utils.createSelfSignedCertificate({
      privateKey: await crypto_utils.pemToPrivateKey(pem),
      notBefore,
      notAfter,
      subject: "CN=Millrace gateway/O=Millrace",
      applicationUri,
      purpose: crypto_utils.CertificatePurpose.ForApplication,
    });
    return { applicationUri, keyPem: pem, certificate: new Uint8Array(crypto_utils.convertPEMtoDER(cert)) };
  },
};
