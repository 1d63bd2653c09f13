import { collectDefaultMetrics, Histogram, Registry } from "prom-client";

export interface Metrics {
  /** Modules add their own counters here; names begin with `millrace_hub_`. */
  registry: Registry;
  requestSeconds: Histogram<"method" | "route" | "code">;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: "millrace_hub_" });
  return {
    registry,
    requestSeconds: new Histogram({
      name: "millrace_hub_request_seconds",
      help: "Time to answer a request, by route and answer",
      labelNames: ["method", "route", "code"],
      buckets: [0.005, 0.025, 0.1, 0.5, 2.5],
      registers: [registry],
    }),
  };
}
