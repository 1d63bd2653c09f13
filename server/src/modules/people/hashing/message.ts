/** What the hashing thread is asked. A password goes to the thread and nowhere else. */
export type ToHasher = { id: number; password: string } & ({ do: "hash" } | { do: "verify"; hash: string });

/** `cpuMs` is the thread's own processor time: on a busy machine it waits much longer than it works. */
export type FromHasher = { id: number; cpuMs: number } & (
  | { value: string | boolean }
  /** The library could not read the hash. */
  | { unreadable: string }
);
