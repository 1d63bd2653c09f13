/** Number of a unit behind a shared line; null where a connection has one device, or for the line as a whole. */
export type Unit = number | null;

/**
 * How a request ended, as its driver saw it. `refused`: the device answered that it will not. `garbled`: what came does
 * not fit the question. `lost`: nobody waits any more, or the link went.
 */
export type Ending = "answer" | "refused" | "timeout" | "garbled" | "lost";

/** What a driver tells of each question it asks, for the bus doctor. Called in the hot path, so it allocates nothing. */
export interface Meter {
  /** A request takes the line from now on. @returns the monotonic ms to give back to `ended` */
  began(): number;
  /**
   * It takes the line no longer.
   * @param roundTripMs from the moment it was sent; read where an answer came
   * @param code of a refusal, by the protocol's own word
   */
  ended(unit: Unit, ending: Ending, beganMs: number, roundTripMs: number, code?: string): void;
  /** The answer as a whole was good, and refuses something in it. */
  refused(unit: Unit, code: string): void;
  /** An answer came after its request had been given up. @param afterMs since it was sent */
  late(unit: Unit, afterMs: number): void;
  /** An answer came to a question nobody asked. */
  stray(unit: Unit): void;
  /** A message came by itself. @param unreadable something in it could not be taken for a value */
  heard(unreadable: boolean): void;
}

/** For a session nobody measures. */
export const NO_METER: Meter = {
  began: () => 0,
  ended: () => undefined,
  refused: () => undefined,
  late: () => undefined,
  stray: () => undefined,
  heard: () => undefined,
};
