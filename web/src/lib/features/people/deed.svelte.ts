import { asFault, type HubFault } from "../../error/fault.ts";

/** Something that is asked of the hub by a button: one at a time, and what it refused. */
export class Deed {
  busy = $state(false);
  fault: HubFault | null = $state.raw(null);

  /** True when it was done. Never throws. */
  async run(work: () => Promise<void>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.fault = null;
    try {
      await work();
      return true;
    } catch (thrown) {
      this.fault = asFault(thrown);
      return false;
    } finally {
      this.busy = false;
    }
  }
}
