import { Tag } from "@millrace/contract/api/plant";
import { JsonValue } from "@millrace/contract/vocabulary/value";
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { Check } from "@sinclair/typebox/value";
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { Received } from "../hub/received.ts";

/** Newest values and tags kept on this device; with 24 h favourites later this stays far below 50 MB (`ux.md` 1.9). */
export const STORED_TAGS_MAX = 5_000;
/** Answers with history kept on this device, each of one tag and some 60 kB: 18 MB at most of the 50 MB. */
export const STORED_HISTORIES_MAX = 300;
const NAME = "millrace";
const VERSION = 2;

export const SavedValue = Type.Object({
  tagNo: Type.Integer(),
  value: JsonValue,
  quality: Type.String(),
  timeMs: Type.Union([Type.Number(), Type.Null()]),
  lastGood: JsonValue,
  lastGoodMs: Type.Union([Type.Number(), Type.Null()]),
});
export type SavedValue = Received & { tagNo: number };

interface Saved {
  savedMs: number;
  body: unknown;
}

/** `key` names tag and length of range; the oldest goes first. The body is checked by whoever reads it. */
export interface SavedHistory {
  key: string;
  tagNo: number;
  savedMs: number;
  body: unknown;
}

interface Shape extends DBSchema {
  history: { key: string; value: SavedHistory; indexes: { tag: number; saved: number } };
  value: { key: number; value: SavedValue };
  tag: { key: number; value: Tag };
  list: { key: string; value: Saved };
}

type Database = IDBPDatabase<Shape>;

/**
 * What the last visit saw, for a start without the hub. A browser may refuse storage (private windows, full disk):
 * then everything works and nothing is remembered, which `available` says.
 */
export class OfflineStore {
  readonly #database: Promise<Database | null>;

  constructor() {
    this.#database = openDB<Shape>(NAME, VERSION, {
      upgrade: (database, from) => {
        if (from < 1) {
          database.createObjectStore("value", { keyPath: "tagNo" });
          database.createObjectStore("tag", { keyPath: "tagNo" });
          database.createObjectStore("list");
        }
        const history = database.createObjectStore("history", { keyPath: "key" });
        history.createIndex("tag", "tagNo");
        history.createIndex("saved", "savedMs");
      },
    }).catch(() => null);
  }

  async available(): Promise<boolean> {
    return (await this.#database) !== null;
  }

  /** A stored list and when it was saved; null when there is none, or one of another version's shape. */
  async list<S extends TSchema>(
    name: string,
    schema: S,
  ): Promise<{ savedMs: number; body: Static<S> } | null> {
    const saved = await this.#do((database) => database.get("list", name), undefined);
    if (saved === undefined || !Check(schema, saved.body)) return null;
    return { savedMs: saved.savedMs, body: saved.body };
  }

  async saveList(name: string, body: unknown, savedMs: number): Promise<void> {
    await this.#do((database) => database.put("list", { savedMs, body }, name), "");
  }

  async values(): Promise<SavedValue[]> {
    const values = await this.#do((database) => database.getAll("value", null, STORED_TAGS_MAX), []);
    return values.filter((value) => Check(SavedValue, value));
  }

  async saveValues(values: readonly SavedValue[]): Promise<void> {
    if (values.length === 0) return;
    await this.#do(async (database) => {
      const transaction = database.transaction("value", "readwrite");
      for (const value of values) void transaction.store.put(value);
      await transaction.done;
    }, undefined);
  }

  async tags(): Promise<Tag[]> {
    const tags = await this.#do((database) => database.getAll("tag", null, STORED_TAGS_MAX), []);
    return tags.filter((tag) => Check(Tag, tag));
  }

  async saveTags(tags: readonly Tag[]): Promise<void> {
    await this.#do(async (database) => {
      const transaction = database.transaction("tag", "readwrite");
      if ((await transaction.store.count()) < STORED_TAGS_MAX) {
        for (const tag of tags) void transaction.store.put(tag);
      }
      await transaction.done;
    }, undefined);
  }

  /** All that is kept of one tag's history. */
  histories(tagNo: number): Promise<SavedHistory[]> {
    return this.#do((database) => database.getAllFromIndex("history", "tag", tagNo), []);
  }

  async saveHistories(histories: readonly SavedHistory[]): Promise<void> {
    await this.#do(async (database) => {
      const transaction = database.transaction("history", "readwrite");
      for (const history of histories) void transaction.store.put(history);
      let over = (await transaction.store.count()) - STORED_HISTORIES_MAX;
      let oldest = over > 0 ? await transaction.store.index("saved").openCursor() : null;
      for (; oldest !== null && over > 0; over--) {
        await oldest.delete();
        oldest = await oldest.continue();
      }
      await transaction.done;
    }, undefined);
  }

  /** At sign-out: the next person at this device sees nothing of the last one. */
  async clear(): Promise<void> {
    await this.#do(async (database) => {
      const names = ["value", "tag", "list", "history"] as const;
      const transaction = database.transaction(names, "readwrite");
      for (const name of names) void transaction.objectStore(name).clear();
      await transaction.done;
    }, undefined);
  }

  async #do<T>(run: (database: Database) => Promise<T>, otherwise: T): Promise<T> {
    const database = await this.#database;
    if (database === null) return otherwise;
    try {
      return await run(database);
    } catch {
      return otherwise;
    }
  }
}
