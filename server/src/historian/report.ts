import { getLogger } from "@logtape/logtape";
import type { RunReport } from "./compaction/run-compactor.ts";
import type { HistorianMetrics } from "./metrics.ts";

const log = getLogger(["hub", "historian"]);

/** Gateways whose strays were logged; further ones are seen in the figures alone. */
const STRAYS_TOLD_MAX = 1_000;

/** Turns what the compactor tells into figures, and into log lines where something changed. */
export function reporter(metrics: HistorianMetrics): (report: RunReport) => void {
  const straysTold = new Set<number>();
  return (report) => {
    switch (report.at) {
      case "done": {
        const { step } = report;
        metrics.samples.inc({ step }, report.samples);
        metrics.rows.inc({ step }, report.rows);
        metrics.seconds.observe({ step }, report.seconds);
        if (step === "check") metrics.broken.set(0);
        return;
      }
      case "lag":
        return metrics.lagSeconds.set({ table: report.table }, report.ms / 1_000);
      case "strays":
        metrics.strays.inc(report.samples);
        if (straysTold.has(report.gatewayNo) || straysTold.size >= STRAYS_TOLD_MAX) return;
        straysTold.add(report.gatewayNo);
        return log.warn("Gateway {gatewayNo} sent {samples} samples without a place in the history", {
          gatewayNo: report.gatewayNo,
          samples: report.samples,
        });
      case "damaged":
        metrics.damaged.inc(report.frames.length);
        return log.error(
          "{count} stored frames of gateway {gatewayNo} cannot be read, now in quarantine: {frames}",
          {
            count: report.frames.length,
            gatewayNo: report.gatewayNo,
            frames: report.frames,
          },
        );
      case "failed": {
        const { step, what, code, message } = report;
        metrics.errors.inc({ step });
        if (report.first)
          log.warn("Compaction of {what} failed and is tried again: {code} {message}", {
            what,
            code,
            message,
          });
        return;
      }
      case "recovered":
        return log.info("Compaction of {what} works again", { what: report.what });
      case "broken":
        metrics.broken.set(report.faults.length);
        return log.error("Frames do not tile the numbers of {count} streams: {faults}", {
          count: report.faults.length,
          faults: report.faults,
        });
      case "away":
        return log.warn("The compactor waits for the database: {message}", { message: report.message });
      case "back":
        return log.info("The compactor has the database again");
    }
  };
}
