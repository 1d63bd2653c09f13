import { TagWrite, WritesOfTag } from "@millrace/contract/api/write";
import type { JsonValue } from "@millrace/contract/vocabulary/value";
import type { HubClient } from "../../hub/client.ts";

/** The hub waits 3 s for the machine; a little more for the way. */
const EXECUTE_MS = 10_000;

/** What can be written to one tag. Every method throws `HubFault`. */
export class WriteClient {
  readonly #hub: Pick<HubClient, "call">;
  readonly #path: string;

  constructor(hub: Pick<HubClient, "call">, tagNo: number) {
    this.#hub = hub;
    this.#path = `/api/v1/tags/${tagNo}/writes`;
  }

  list(): Promise<WritesOfTag> {
    return this.#hub.call({ method: "GET", path: this.#path, schema: WritesOfTag });
  }

  one(id: string): Promise<TagWrite> {
    return this.#hub.call({ method: "GET", path: `${this.#path}/${id}`, schema: TagWrite });
  }

  select(value: JsonValue): Promise<TagWrite> {
    return this.#hub.call({ method: "POST", path: this.#path, schema: TagWrite, body: { value } });
  }

  agree(id: string): Promise<TagWrite> {
    return this.#hub.call({ method: "POST", path: `${this.#path}/${id}/agree`, schema: TagWrite, body: {} });
  }

  execute(id: string): Promise<TagWrite> {
    const path = `${this.#path}/${id}/execute`;
    return this.#hub.call({ method: "POST", path, schema: TagWrite, body: {}, timeoutMs: EXECUTE_MS });
  }
}
