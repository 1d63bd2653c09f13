/**
 * An OPC UA server of the node-opcua project in a process of its own: its address space, subscriptions, sessions and
 * cryptography are not ours. Started with JSON settings as its argument; prints one line of JSON when it listens, takes
 * commands as lines on its standard input, ends with it.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { PeerCommand, PeerOptions } from "../../src/drivers/opcua/peer.ts";

const options = JSON.parse(process.argv[2] ?? "{}") as PeerOptions;

// A server whose clock is wrong, seen through everything that asks for the time.
if (options.clockOffMs !== undefined) {
  const off = options.clockOffMs;
  const Right = Date;
  globalThis.Date = class extends Right {
    constructor(...args: unknown[]) {
      if (args.length === 0) super(Right.now() + off);
      else super(...(args as [number]));
    }
    static override now = () => Right.now() + off;
  } as DateConstructor;
}

// Loaded after the clock is set.
const { OPCUAServer } = await import("node-opcua-server");
const { OPCUACertificateManager } = await import("node-opcua-certificate-manager");
const { DataType, MessageSecurityMode, SecurityPolicy, StatusCodes, Variant, VariantArrayType } =
  await import("node-opcua-client");

const folder = mkdtempSync(join(tmpdir(), "millrace-opcua-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const certificates = new OPCUACertificateManager({
  rootFolder: join(folder, "pki"),
  automaticallyAcceptUnknownCertificate: options.trustsClients ?? true,
});
const server = new OPCUAServer({
  port: options.port ?? 0,
  hostname: "127.0.0.1",
  serverCertificateManager: certificates,
  userCertificateManager: certificates,
  allowAnonymous: true,
  ...(options.insecure
    ? { securityModes: [MessageSecurityMode.None], securityPolicies: [SecurityPolicy.None] }
    : {}),
  maxConnectionsPerEndpoint: options.connectionsMax ?? options.sessionsMax ?? 50,
  userManager: { isValidUser: (user: string, password: string) => user === "mill" && password === "race" },
  serverCapabilities: {
    maxSessions: options.sessionsMax ?? 50,
    ...(options.itemsMax === undefined
      ? {}
      : { maxMonitoredItems: options.itemsMax, maxMonitoredItemsPerSubscription: options.itemsMax }),
    operationLimits: {
      maxNodesPerRead: options.nodesMax ?? 1_000,
      maxNodesPerWrite: options.nodesMax ?? 1_000,
      maxNodesPerBrowse: options.nodesMax ?? 1_000,
      maxMonitoredItemsPerCall: options.nodesMax ?? 1_000,
    },
  },
});
await server.initialize();
const space = server.engine.addressSpace!;
for (let at = 0; at < (options.namespacesBefore ?? 0); at++) space.registerNamespace(`urn:other:${at}`);
const plant = space.registerNamespace("urn:millrace:peer");
const root = plant.addFolder(space.rootFolder.objects, { browseName: "Plant", nodeId: "s=Plant" });

type Held = { dataType: string; value: unknown; array?: boolean; dimensions?: number[]; writable?: boolean };
const add = (name: string, { dataType, value, array, dimensions, writable }: Held) =>
  plant.addVariable({
    organizedBy: root,
    browseName: name,
    nodeId: `s=${name}`,
    dataType,
    accessLevel: writable ? "CurrentRead | CurrentWrite" : "CurrentRead",
    ...(array ? { valueRank: 1, arrayDimensions: [(value as unknown[]).length] } : {}),
    ...(dimensions ? { valueRank: dimensions.length, arrayDimensions: dimensions } : {}),
    minimumSamplingInterval: 50,
    value: new Variant({
      dataType: DataType[dataType as keyof typeof DataType],
      arrayType: dimensions
        ? VariantArrayType.Matrix
        : array
          ? VariantArrayType.Array
          : VariantArrayType.Scalar,
      ...(dimensions ? { dimensions } : {}),
      value: value as never,
    }) as never,
  });

/** 64 bits as the library holds them: two halves, the high one first. */
const wide = (value: bigint) => {
  const bits = BigInt.asUintN(64, value);
  return [Number(bits >> 32n), Number(bits & 0xffff_ffffn)];
};

const HELD: Record<string, Held> = {
  Boolean: { dataType: "Boolean", value: true },
  SByte: { dataType: "SByte", value: -128 },
  Byte: { dataType: "Byte", value: 255 },
  Int16: { dataType: "Int16", value: -32_767 },
  UInt16: { dataType: "UInt16", value: 65_535 },
  Int32: { dataType: "Int32", value: -123_456 },
  UInt32: { dataType: "UInt32", value: 4_294_967_295 },
  Int64: { dataType: "Int64", value: wide(-1_234_567_890_123_456_789n) },
  UInt64: { dataType: "UInt64", value: wide(2n ** 64n - 1n) },
  Float: { dataType: "Float", value: 123.5 },
  Double: { dataType: "Double", value: Math.PI },
  String: { dataType: "String", value: "Mühle" },
  Array: { dataType: "Double", value: new Float64Array([1.5, 2.5, 3.5]), array: true },
};
/** Everything once more, for clients that write. */
const WRITABLE: Record<string, Held> = {
  ...HELD,
  DateTime: { dataType: "DateTime", value: new Date(Date.UTC(2026, 0, 1)) },
  Array: { dataType: "Double", value: new Float64Array([1.5, 2.5, 3.5]), array: true },
  Matrix: { dataType: "Int32", value: new Int32Array([1, 2, 3, 4]), dimensions: [2, 2] },
};
const nodes = new Map(Object.entries(HELD).map(([name, held]) => [name, add(name, held)]));
for (const [name, held] of Object.entries(WRITABLE))
  nodes.set(`w${name}`, add(`w${name}`, { ...held, writable: true }));
for (let at = 0; at < (options.variables ?? 0); at++)
  nodes.set(`v${at}`, add(`v${at}`, { dataType: "Double", value: at }));
await server.start();

const TICK_MS = 100;
// Each has its own number in the beginning: the first turn must change them too.
let turn = options.variables ?? 0;
if (options.changing !== undefined && options.variables !== undefined) {
  const [each, all] = [Math.ceil((options.changing * TICK_MS) / 1_000), options.variables];
  setInterval(() => {
    for (let at = 0; at < each; at++, turn++) set({ do: "set", node: `v${turn % all}`, value: turn });
  }, TICK_MS);
}

/** `at` sets the source's own time; `status` goes with the value. */
function set({ node, value, at, status }: Extract<PeerCommand, { do: "set" }>): void {
  const variable = nodes.get(node)!;
  const held: Partial<Held> = HELD[node.replace(/^w/, "")] ?? {};
  variable.setValueFromSource(
    new Variant({
      dataType: DataType[(held.dataType ?? "Double") as keyof typeof DataType],
      arrayType: held.array ? VariantArrayType.Array : VariantArrayType.Scalar,
      value: value as never,
    }) as never,
    StatusCodes[(status ?? "Good") as "Good"],
    ...(at === undefined ? [] : [new Date(at)]),
  );
}

function obey(command: PeerCommand): void {
  switch (command.do) {
    case "set":
      return set(command);
    case "add":
      nodes.set(command.node, add(command.node, { dataType: "Double", value: command.value }));
      return;
    case "burst":
      command.values.forEach((value, at) => {
        setTimeout(() => set({ do: "set", node: command.node, value }), at * command.everyMs);
      });
      return;
    case "counts":
      console.log(
        JSON.stringify({
          sessions: server.engine.currentSessionCount,
          subscriptions: server.engine.currentSubscriptionCount,
        }),
      );
  }
}
const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => obey(JSON.parse(line) as PeerCommand));
lines.on("close", () => process.exit(0));
console.log(JSON.stringify({ port: server.endpoints[0]!.port }));
