import { Type } from "@sinclair/typebox";
import type { Services } from "../services.ts";

const SAVE_EVERY_MS = 2_000;

/** Brings back what the last visit saw, then keeps saving this one's values until the returned function is called. */
export function keepVisit(services: Pick<Services, "clock" | "live" | "lists" | "store">): () => void {
  const { clock, live, lists, store } = services;
  void restore(services);
  const save = () => {
    const values = live.takeChanged();
    if (values.length === 0) return;
    void store.saveValues(values);
    void store.saveList("valuesSaved", clock.nowMs(), clock.nowMs());
  };
  let cancel = () => {};
  const again = () => {
    save();
    cancel = clock.after(SAVE_EVERY_MS, again);
  };
  cancel = clock.after(SAVE_EVERY_MS, again);
  addEventListener("pagehide", save);
  document.addEventListener("visibilitychange", save);
  return () => {
    cancel();
    removeEventListener("pagehide", save);
    document.removeEventListener("visibilitychange", save);
    lists.stop();
  };
}

async function restore({ live, lists, store }: Pick<Services, "live" | "lists" | "store">): Promise<void> {
  const listsSavedMs = await lists.restore();
  const saved = await store.list("valuesSaved", Type.Number());
  const savedMs = saved?.body ?? listsSavedMs;
  if (savedMs !== null && savedMs !== undefined) live.seed(await store.values(), savedMs);
}
