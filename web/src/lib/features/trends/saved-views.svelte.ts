import type { TrendView, TrendViewCreate } from "@millrace/contract/api/trend";
import { asFault, type HubFault } from "../../error/fault.ts";
import type { HistoryClient } from "../../history/history-client.ts";
import { rangeOfApi, rangeToApi } from "./range.ts";
import { formatState, type TrendState } from "./url-state.ts";

export const stateOfView = (view: TrendView): TrendState => ({
  pens: view.pens,
  range: rangeOfApi(view.range),
  layout: view.layout,
  compareMs: view.compareMs,
});

const viewOf = (name: string, state: TrendState): TrendViewCreate => ({
  name,
  pens: state.pens,
  range: rangeToApi(state.range),
  layout: state.layout,
  compareMs: state.compareMs,
});

/** Saved views: the list, the one that is open, and what can be done with it. */
export class SavedViews {
  rows: readonly TrendView[] = $state.raw([]);
  current: TrendView | null = $state.raw(null);
  read = $state(false);
  busy = $state(false);
  fault: HubFault | null = $state.raw(null);
  readonly #client: HistoryClient;

  constructor(client: HistoryClient) {
    this.#client = client;
  }

  /** Returns the view an address names; null when there is none. */
  async open(viewId: string | null): Promise<TrendView | null> {
    if (viewId === null) {
      this.current = null;
      return null;
    }
    await this.#do(async () => {
      this.current = await this.#client.view(viewId);
    });
    return this.current?.id === viewId ? this.current : null;
  }

  list(): Promise<boolean> {
    return this.#do(async () => {
      this.rows = (await this.#client.views()).toSorted((a, b) => (a.name < b.name ? -1 : 1));
      this.read = true;
    });
  }

  isChanged(state: TrendState): boolean {
    return this.current !== null && formatState(stateOfView(this.current)) !== formatState(state);
  }

  saveAs(name: string, state: TrendState): Promise<boolean> {
    return this.#do(async () => this.#take(await this.#client.addView(viewOf(name, state))));
  }

  save(state: TrendState): Promise<boolean> {
    return this.#change((view) => viewOf(view.name, state));
  }

  rename(name: string): Promise<boolean> {
    return this.#change((view) => viewOf(name, stateOfView(view)));
  }

  remove(view: TrendView): Promise<boolean> {
    return this.#do(async () => {
      await this.#client.deleteView(view.id, view.revision);
      this.rows = this.rows.filter((row) => row.id !== view.id);
      if (this.current?.id === view.id) this.current = null;
    });
  }

  #change(how: (view: TrendView) => TrendViewCreate): Promise<boolean> {
    const view = this.current;
    if (view === null) return Promise.resolve(false);
    return this.#do(async () => this.#take(await this.#client.changeView(view.id, view.revision, how(view))));
  }

  #take(view: TrendView): void {
    this.current = view;
    const others = this.rows.filter((row) => row.id !== view.id);
    this.rows = [...others, view].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  async #do(work: () => Promise<void>): Promise<boolean> {
    this.busy = true;
    try {
      await work();
      this.fault = null;
      return true;
    } catch (thrown) {
      this.fault = asFault(thrown);
      return false;
    } finally {
      this.busy = false;
    }
  }
}
