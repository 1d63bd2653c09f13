import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** Figures of the compactor, in Prometheus' own units. */
export interface HistorianMetrics {
  samples: Counter<"step">;
  rows: Counter<"step">;
  seconds: Histogram<"step">;
  errors: Counter<"step">;
  lagSeconds: Gauge<"table">;
  strays: Counter;
  damaged: Counter;
  broken: Gauge;
}

/** @param registry The one behind `/metrics`; each name may be registered in it once. */
export function historianMetrics(registry: Registry): HistorianMetrics {
  const registers = [registry];
  const name = (rest: string) => `millrace_hub_historian_${rest}`;
  return {
    samples: new Counter({
      name: name("samples_total"),
      help: "Samples written by a step of the compactor",
      labelNames: ["step"],
      registers,
    }),
    rows: new Counter({
      name: name("rows_total"),
      help: "Rows a step of the compactor made of the journal, merged or removed",
      labelNames: ["step"],
      registers,
    }),
    seconds: new Histogram({
      name: name("step_seconds"),
      help: "Time of one step of the compactor",
      labelNames: ["step"],
      buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
      registers,
    }),
    errors: new Counter({
      name: name("errors_total"),
      help: "Steps of the compactor that failed and are tried again",
      labelNames: ["step"],
      registers,
    }),
    lagSeconds: new Gauge({
      name: name("lag_seconds"),
      help: "How long the oldest of what could leave a table has waited there",
      labelNames: ["table"],
      registers,
    }),
    strays: new Counter({
      name: name("samples_stray_total"),
      help: "Samples without a place in the history, kept aside",
      registers,
    }),
    damaged: new Counter({
      name: name("frames_damaged_total"),
      help: "Frames whose stored bytes could not be read, now in quarantine",
      registers,
    }),
    broken: new Gauge({
      name: name("streams_broken"),
      help: "Streams whose frames did not tile their numbers at the last check",
      registers,
    }),
  };
}
