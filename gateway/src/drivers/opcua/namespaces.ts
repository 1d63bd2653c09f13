import type { OpcuaAddress } from "@millrace/contract/driver/opcua/address";

/**
 * Namespaces of one session. Indexes move when a server restarts with other programs, URIs do not: tags keep the URI,
 * and each session looks the index up anew.
 */
export class Namespaces {
  readonly #uris: readonly string[];
  readonly #indexOf: ReadonlyMap<string, number>;

  constructor(uris: readonly string[]) {
    this.#uris = uris;
    this.#indexOf = new Map(uris.map((uri, index) => [uri, index]).reverse() as [string, number][]);
  }

  /** Node id text for this session; null when the server has no such namespace now. */
  resolve({ namespace, type, id }: OpcuaAddress): string | null {
    const index = "uri" in namespace ? this.#indexOf.get(namespace.uri) : namespace.index;
    return index === undefined ? null : `ns=${index};${type}=${id}`;
  }

  /** The address that survives a restart, by the URI wherever the server names one. */
  portable(index: number, type: OpcuaAddress["type"], id: string): OpcuaAddress {
    const uri = this.#uris[index];
    const namespace = index === 0 || uri === undefined ? { index } : { uri };
    return { namespace, type, id, element: null };
  }
}
