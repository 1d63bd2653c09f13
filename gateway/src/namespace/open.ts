import type { Clock } from "@millrace/contract/std/clock";
import type { NamespaceStatus } from "@millrace/contract/vocabulary/gateway";
import type { ManifestDevice } from "@millrace/contract/wire/manifest";
import type { Intake } from "../intake/open.ts";
import type { SampleSink } from "../outbox/sink.ts";
import { type Linked, NamespacePublisher } from "./publisher.ts";

/** This gateway's part of the unified namespace; where it is off, nothing happens here. */
export interface Namespace {
  tee(sink: SampleSink): SampleSink;
  apply(devices: readonly ManifestDevice[]): void;
  status(): { namespace?: NamespaceStatus };
  stop(): void;
}

const OFF: Namespace = {
  tee: (sink) => sink,
  apply: () => undefined,
  status: () => ({}),
  stop: () => undefined,
};

/** @param devices those that run now; asked only while the namespace is told */
export function openNamespace(
  settings: { namespaceOn: boolean; namespacePrefix: string },
  intake: Intake | null,
  clock: Clock,
  devices: () => readonly Linked[],
): Namespace {
  const broker = intake?.broker ?? null;
  if (broker === null || !settings.namespaceOn) return OFF;
  const publisher = new NamespacePublisher({
    clock,
    prefix: settings.namespacePrefix,
    publish: (told) => broker.publish(told),
    devices,
  });
  return {
    tee: (sink) => publisher.tee(sink),
    apply: (wanted) => publisher.apply(wanted),
    status: () => ({ namespace: publisher.status() }),
    stop: () => publisher.stop(),
  };
}
