/** Exit code of a check that could not be made here; the test command counts it as skipped, never as passed. */
export const NOT_CHECKED = 75;
