/** Exceptions to the tidy rules, by rule. The list may only shrink. */
export const WAIVERS: Record<string, readonly string[]> = {};
