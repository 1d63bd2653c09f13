/** Exceptions to the tidy rules, by rule. The list may only shrink. */
export const WAIVERS: Record<string, readonly string[]> = {
  // A setting of the API reference's viewer is called "agent".
  // Runs in the technician's browser, where the browser's own timer is the only one.
  clocks: ["gateway/src/local/live-script.ts"],
  words: ["server/src/http/docs.ts"],
};
