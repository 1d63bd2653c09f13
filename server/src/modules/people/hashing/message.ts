/** Why a password is among the first that are tried. */
export type Weakness = "repeats" | "follows" | "date" | "about" | "common";

/**
 * What the hashing thread is asked. A password goes to the thread and nowhere else. `about`: words a stranger would try
 * first, such as the person's name.
 */
export type ToHasher = { id: number; password: string } & (
  | { do: "hash" }
  | { do: "verify"; hash: string }
  | { do: "judge"; about: readonly string[] }
);

/** `cpuMs` is the thread's own processor time: on a busy machine it waits much longer than it works. */
export type FromHasher = { id: number; cpuMs: number } & (
  | { value: string | boolean | Weakness | null }
  /** The library could not read the hash. */
  | { unreadable: string }
);
