import { Gauge, Registry } from "prom-client";
import type { LocalView } from "./view.ts";

type Figure = [name: string, help: string, read: (view: LocalView) => number];

const FIGURES: readonly Figure[] = [
  ["cpu_share", "Share of one core over the last interval", (v) => v.status.cpuShare],
  ["memory_bytes", "Resident memory of the gateway", (v) => v.status.memoryBytes],
  ["disk_free_bytes", "Free bytes on the disk of the data folder", (v) => v.status.diskFreeBytes],
  ["hub_up", "1 while the hub is connected", (v) => (v.hub.up ? 1 : 0)],
  ["manifest_rev", "Number of the manifest that runs", (v) => v.status.manifestRev],
  ["outbox_samples_unsent", "Samples the hub has not acknowledged", (v) => v.status.outbox.samplesUnsent],
  ["outbox_bytes_used", "Bytes the buffer uses on disk", (v) => v.status.outbox.bytesUsed],
  ["outbox_bytes_quota", "Bytes the buffer may use on disk", (v) => v.status.outbox.bytesQuota],
  ["outbox_samples_lost", "Samples dropped since the start", (v) => v.status.outbox.samplesLost],
  ["outbox_durable", "0 while the disk refuses", (v) => (v.status.outbox.durable ? 1 : 0)],
];

const PER_DEVICE = ["cycles", "cyclesMissed", "requests", "errors", "tagsGood", "tagsBad"] as const;
const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The figures of this moment in the Prometheus text format. */
export async function metricsText(view: LocalView): Promise<{ type: string; text: string }> {
  const registry = new Registry();
  for (const [name, help, read] of FIGURES) {
    new Gauge({ name: `millrace_gateway_${name}`, help, registers: [registry] }).set(read(view));
  }
  const labelNames = ["device"];
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `millrace_gateway_device_${name}`, help, labelNames, registers: [registry] });
  const up = gauge("up", "1 while the device answers");
  for (const device of view.status.devices)
    up.set({ device: device.deviceId }, device.linkState === "up" ? 1 : 0);
  for (const name of PER_DEVICE) {
    const one = gauge(snake(name), `${name} of the device`);
    for (const device of view.status.devices) one.set({ device: device.deviceId }, device[name]);
  }
  return { type: registry.contentType, text: await registry.metrics() };
}
