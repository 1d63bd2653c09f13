import { join } from "node:path";
import { AppError, asAppError } from "@millrace/contract/error/app-error";
import { type Manifest, SignedManifest } from "@millrace/contract/wire/manifest";
import { readChecked } from "../identity/checked-file.ts";
import { writeDurably } from "../identity/durable-file.ts";
import { type ManifestScope, verifyManifest } from "./verify.ts";

const CACHE_FILE = "manifest.json";

/** Takes a manifest into use: starts and stops devices. Throws AppError when it cannot run it; the old one runs on. */
export type ManifestApplier = (manifest: Manifest) => Promise<void> | void;

export interface ManifestStoreInput {
  folder: string;
  scope: Omit<ManifestScope, "revRunning">;
  apply: ManifestApplier;
}

/** The manifest that runs, and its copy on disk for the next start without a hub. */
export interface ManifestStore {
  /** The manifest that runs; null before the first one. */
  current(): Manifest | null;
  /** Why there is no usable copy on disk: damaged at the start, or the disk refused it. Null when all is well. */
  cacheProblem(): AppError | null;
  /**
   * Verifies, applies, then writes to disk, in this order: what is cached has run at least once. A repeat of the
   * running manifest (same number, same text) is accepted without applying it again.
   * @throws AppError what `verifyManifest` throws, or what the applier threw.
   */
  accept(signed: SignedManifest): Promise<Manifest>;
  /** Called after a manifest was applied and cached. The returned function ends it. */
  onAccepted(listener: (manifest: Manifest) => void): () => void;
}

/**
 * Opens the cache and applies what it holds, so that polling starts with the hub absent. A damaged or foreign cache
 * never stops the start: the gateway runs without a manifest until the hub sends one, and says so.
 */
export async function openManifestStore(input: ManifestStoreInput): Promise<ManifestStore> {
  const path = join(input.folder, CACHE_FILE);
  const listeners = new Set<(manifest: Manifest) => void>();
  let running: { manifest: Manifest; sha256: string } | null = null;
  let problem: AppError | null = null;
  let turn: Promise<unknown> = Promise.resolve();

  const scope = (): ManifestScope => ({ ...input.scope, revRunning: running?.manifest.rev ?? 0 });

  const take = async (signed: SignedManifest): Promise<Manifest> => {
    const manifest = verifyManifest(signed, scope());
    if (running?.manifest.rev === manifest.rev) {
      if (running.sha256 === signed.sha256) return running.manifest;
      throw new AppError(
        "manifest.refused",
        `Manifest ${manifest.rev} runs already with another content; the hub must give a changed one a new number.`,
        { context: { rev: manifest.rev } },
      );
    }
    await input.apply(manifest);
    running = { manifest, sha256: signed.sha256 };
    return manifest;
  };

  try {
    const cached = await readCache(path);
    if (cached) await take(cached);
  } catch (thrown) {
    problem = asAppError(thrown, "manifest.refused");
  }

  return {
    current: () => running?.manifest ?? null,
    cacheProblem: () => problem,
    accept: (signed) => {
      const accepted = turn.then(async () => {
        const before = running?.sha256;
        const manifest = await take(signed);
        if (running?.sha256 === before) return manifest;
        problem = await cache(path, signed);
        for (const listener of listeners) listener(manifest);
        return manifest;
      });
      turn = accepted.catch(() => undefined);
      return accepted;
    },
    onAccepted: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** A disk that refuses does not stop what already runs; only the next start without a hub would miss it. */
async function cache(path: string, signed: SignedManifest): Promise<AppError | null> {
  try {
    await writeDurably(path, `${JSON.stringify(signed)}\n`);
    return null;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new AppError("outbox.failed", `The running manifest could not be kept in ${path}: ${why}.`, {
      cause,
    });
  }
}

const readCache = (path: string): Promise<SignedManifest | null> =>
  readChecked(
    path,
    SignedManifest,
    (what, cause) =>
      new AppError("manifest.refused", `${path} is damaged: ${what}.`, { cause, context: { path } }),
  );
