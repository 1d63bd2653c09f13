import { Factors } from "@millrace/contract/api/factor";
import { asFault, type HubFault } from "../../error/fault.ts";
import type { HubClient, HubRequest } from "../../hub/client.ts";

/** One's ways to sign in, and changes of them: each tells how it went, and the list is read anew. */
export class OwnFactors {
  now: Factors | null = $state.raw(null);
  fault: HubFault | null = $state.raw(null);
  /** What was done last, in words. */
  done = $state("");
  busy = $state(false);
  readonly client: HubClient;

  constructor(client: HubClient) {
    this.client = client;
  }

  async reload(): Promise<void> {
    try {
      this.now = await this.client.call({ method: "GET", path: "/api/v1/me/factors", schema: Factors });
    } catch (thrown) {
      this.fault = asFault(thrown);
    }
  }

  /** @returns what the change gave, or null when it failed, which `fault` tells */
  async change<T>(words: string, run: () => Promise<T>): Promise<{ value: T } | null> {
    this.busy = true;
    this.fault = null;
    this.done = "";
    try {
      const value = await run();
      this.done = words;
      await this.reload();
      return { value };
    } catch (thrown) {
      this.fault = asFault(thrown);
      return null;
    } finally {
      this.busy = false;
    }
  }

  async tell(words: string, request: HubRequest): Promise<boolean> {
    return (await this.change(words, () => this.client.tell(request))) !== null;
  }
}
