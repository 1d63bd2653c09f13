/** Exceptions to the tidy rules, by rule. The list may only shrink. */
export const WAIVERS: Record<string, readonly string[]> = {
  // A setting of the API reference's viewer is called "agent".
  words: ["server/src/http/docs.ts"],
};
