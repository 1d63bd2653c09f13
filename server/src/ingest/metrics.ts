import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** Figures of ingest and live, in Prometheus' own units (seconds, bytes). */
export interface HubMetrics {
  samples: Counter;
  frames: Counter<"kind">;
  bytes: Counter;
  /** Frames received again that were applied before: harmless, and a measure of lost acknowledgements. */
  duplicates: Counter;
  nacks: Counter<"code">;
  quarantined: Counter;
  /** Samples of tags that their gateway does not own. */
  foreign: Counter;
  refused: Counter<"code">;
  commitSeconds: Histogram;
  sessions: Gauge;
  liveSockets: Gauge;
}

/** @param registry The one behind `/metrics`; each name may be registered in it once. */
export function hubMetrics(registry: Registry): HubMetrics {
  const registers = [registry];
  const counter = (name: string, help: string) =>
    new Counter({ name: `millrace_hub_${name}_total`, help, registers });
  const counterOf = <L extends string>(name: string, help: string, label: L) =>
    new Counter<L>({ name: `millrace_hub_${name}_total`, help, labelNames: [label], registers });
  const gauge = (name: string, help: string) => new Gauge({ name: `millrace_hub_${name}`, help, registers });
  return {
    samples: counter("samples_ingested", "Samples committed"),
    frames: counterOf("frames", "Frames committed", "kind"),
    bytes: counter("frame_bytes", "Bytes of frames committed"),
    duplicates: counter("frames_duplicate", "Frames received again after they were applied"),
    nacks: counterOf("nacks", "Envelopes not applied", "code"),
    quarantined: counter("frames_quarantined", "Frames with a good checksum and unusable content"),
    foreign: counter("samples_foreign", "Samples of tags that their gateway does not own"),
    refused: counterOf("sessions_refused", "Gateway sessions ended by the hub", "code"),
    commitSeconds: new Histogram({
      name: "millrace_hub_commit_seconds",
      help: "Time of one apply, from statement to committed",
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    }),
    sessions: gauge("sessions", "Gateways with a welcomed session"),
    liveSockets: gauge("live_sockets", "Browsers on the live socket"),
  };
}
