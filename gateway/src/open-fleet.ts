import { Holds } from "./commands/holds.ts";
import type { Intake } from "./intake/open.ts";
import { type Namespace, openNamespace } from "./namespace/open.ts";
import type { Outbox } from "./outbox/outbox.ts";
import type { Settings } from "./settings.ts";
import { Sparkplug, type SparkplugDeps } from "./sparkplug/open.ts";
import { Fleet } from "./supervisor/fleet.ts";

interface Made {
  fleet: Fleet;
  holds: Holds;
  sparkplug: Sparkplug;
  namespace: Namespace;
}

type Input = Omit<SparkplugDeps, "fleet" | "holds">;

/**
 * The devices, and what hangs on them by their values and writes. What was held when this gateway ended is known before
 * any device is started: it is the first they hear.
 */
export function openFleet(input: Input, outbox: Outbox, intake: Intake | null, settings: Settings): Made {
  const { folder, clock, random, keep, report } = input;
  const targetOf = (tagNo: number) => fleet.writeTarget(tagNo);
  const holds = Holds.open({ folder, clock, targetOf, report });
  const sparkplug = new Sparkplug({ ...input, holds, fleet: (): Fleet => fleet });
  const namespace = openNamespace(settings, intake, clock, () => fleet.devices());
  const fleet: Fleet = new Fleet({
    clock,
    random,
    sink: namespace.tee(sparkplug.sink(outbox.sink)),
    keep,
    holds,
    ...(intake === null ? {} : { arrivals: intake.desk }),
  });
  holds.start();
  return { fleet, holds, sparkplug, namespace };
}
