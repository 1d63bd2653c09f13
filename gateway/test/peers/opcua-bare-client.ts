/**
 * A client of the node-opcua project as its manual shows it, with the library's own subscription, beside which ours is
 * measured. Argument: JSON with `endpoint` and `items`. Lines of JSON: `{"first":ms}` when every item had a value, then on
 * the line `measure N` of its input `{"cpuSeconds":s,"values":n,"rssKib":k}` after N ms, and `{"back":ms}` each time all
 * values are there anew, counted from the line `anew`.
 */
import { createInterface } from "node:readline";
import {
  AttributeIds,
  ClientMonitoredItemGroup,
  ClientSubscription,
  MessageSecurityMode,
  OPCUAClient,
  SecurityPolicy,
  TimestampsToReturn,
} from "node-opcua-client";

const { endpoint, items } = JSON.parse(process.argv[2]!) as { endpoint: string; items: number };
const say = (line: object) => console.log(JSON.stringify(line));

const client = OPCUAClient.create({
  securityMode: MessageSecurityMode.None,
  securityPolicy: SecurityPolicy.None,
  endpointMustExist: false,
  connectionStrategy: { initialDelay: 1_000, maxDelay: 2_000, maxRetry: -1 },
});
const startMs = performance.now();
await client.connect(endpoint);
const session = await client.createSession();
const uris = (await session.readNamespaceArray()) as string[];
const index = uris.indexOf("urn:millrace:peer");
const subscription = ClientSubscription.create(session, {
  requestedPublishingInterval: 500,
  requestedMaxKeepAliveCount: 5,
  requestedLifetimeCount: 60,
  maxNotificationsPerPublish: 0,
  publishingEnabled: true,
});

let seen = new Set<number>();
let values = 0;
let told: "first" | "back" | null = "first";
let sinceMs = startMs;
const ITEMS_AT_ONCE = 500;
for (let from = 0; from < items; from += ITEMS_AT_ONCE) {
  const wanted = Array.from({ length: Math.min(ITEMS_AT_ONCE, items - from) }, (_, at) => ({
    nodeId: `ns=${index};s=v${from + at}`,
    attributeId: AttributeIds.Value,
  }));
  const group = ClientMonitoredItemGroup.create(
    subscription,
    wanted,
    { samplingInterval: 500, queueSize: 2, discardOldest: true },
    TimestampsToReturn.Both,
  );
  group.on("changed", (_item, data, at) => {
    values++;
    if (told === null || data.statusCode.value !== 0) return;
    seen.add(from + at);
    if (seen.size < items) return;
    say({ [told]: Math.round(performance.now() - sinceMs) });
    told = null;
  });
}

createInterface({ input: process.stdin }).on("line", async (line) => {
  const [verb, argument] = line.split(" ");
  if (verb === "anew") {
    seen = new Set();
    told = "back";
    sinceMs = performance.now();
  } else if (verb === "measure") {
    const [before, valuesBefore] = [process.cpuUsage(), values];
    await new Promise((resolve) => setTimeout(resolve, Number(argument)));
    const { user, system } = process.cpuUsage(before);
    const rssKib = Math.round(process.memoryUsage().rss / 1_024);
    say({ cpuSeconds: (user + system) / 1e6, values: values - valuesBefore, rssKib });
  }
});
process.stdin.on("end", () => process.exit(0));
