import { Holds } from "./commands/holds.ts";
import type { SampleSink } from "./outbox/sink.ts";
import { Sparkplug, type SparkplugDeps } from "./sparkplug/open.ts";
import { Fleet, type FleetDeps } from "./supervisor/fleet.ts";

interface Made {
  fleet: Fleet;
  holds: Holds;
  sparkplug: Sparkplug;
}

/** Where samples go, given how the edge node listens in. */
type SinkOf = (edgeNode: (inner: SampleSink) => SampleSink) => SampleSink;
type Input = Omit<SparkplugDeps, "fleet" | "holds">;

/**
 * The devices, and what hangs on them by their values and writes. What was held when this gateway ended is known before
 * any device is started: it is the first they hear.
 */
export function openFleet(input: Input, sinkOf: SinkOf, arrivals: Pick<FleetDeps, "arrivals">): Made {
  const { folder, clock, random, keep, report } = input;
  const targetOf = (tagNo: number) => fleet.writeTarget(tagNo);
  const holds = Holds.open({ folder, clock, targetOf, report });
  const sparkplug = new Sparkplug({ ...input, holds, fleet: (): Fleet => fleet });
  const fleet: Fleet = new Fleet({
    clock,
    random,
    sink: sinkOf((inner) => sparkplug.sink(inner)),
    keep,
    holds,
    ...arrivals,
  });
  holds.start();
  return { fleet, holds, sparkplug };
}
