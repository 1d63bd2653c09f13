/** A small place for what drivers must not lose, e.g. their own certificate. Only the gateway's user may read it. */
export interface Keep {
  /** Null when there is no such file. */
  read(name: string): Promise<string | null>;
  /** After it resolves the text survives a power cut. */
  write(name: string, text: string): Promise<void>;
}

/** For tests, and for a process without a data folder: kept as long as the process lives. */
export function keepInMemory(): Keep {
  const files = new Map<string, string>();
  return {
    read: async (name) => files.get(name) ?? null,
    write: async (name, text) => {
      files.set(name, text);
    },
  };
}
