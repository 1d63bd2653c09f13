import type { GapCauseName } from "@millrace/contract/api/gap";

const CAUSE: Record<GapCauseName, string> = {
  overflow: "buffer overflowed",
  quarantine: "in quarantine",
  corrupt: "buffer damaged",
  hubRestore: "hub restored from a backup",
  thinned: "thinned to one-minute figures",
};

/** Cause of a gap, in words. A cause of a newer hub stays readable. */
export const gapWords = (cause: GapCauseName): string => CAUSE[cause] ?? `lost (${cause})`;
