import type { Clock } from "@millrace/contract/std/clock";
import { QueryGate } from "./gate.ts";
import { QUERY } from "./limits.ts";

/** Gates before the database: short questions do not wait behind long ones. */
export interface QueryGates {
  light: QueryGate;
  heavy: QueryGate;
  /** Streams, however slowly they are taken; they hold nothing but their place. */
  exports: QueryGate;
  /** One window of a stream at a time: it is read at once, whoever takes it. */
  exportWindows: QueryGate;
}

export function queryGates(clock: Clock): QueryGates {
  const { waitingMax, waitMsMax } = QUERY;
  const gate = (atOnce: number, wait: number = waitMsMax) =>
    new QueryGate(clock, { atOnce, waitingMax, waitMsMax: wait });
  return {
    light: gate(QUERY.lightAtOnce),
    heavy: gate(QUERY.heavyAtOnce),
    exports: gate(QUERY.exportsAtOnce),
    exportWindows: gate(1, QUERY.exportMs),
  };
}
