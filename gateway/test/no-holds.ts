import type { WriteDeps } from "../src/commands/write.ts";

/** For writes that press nothing. */
export const NO_HOLDS: WriteDeps["holds"] = {
  has: () => false,
  begin: () => {},
  forget: () => {},
  wait: async () => {},
  release: async () => false,
};
