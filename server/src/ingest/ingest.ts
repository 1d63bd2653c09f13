import { randomBytes } from "node:crypto";
import type { Clock } from "@millrace/contract/std/clock";
import type { Registry } from "prom-client";
import type { Database } from "../db/client.ts";
import { FrameCache } from "../historian/query/frame-cache.ts";
import { QUERY } from "../historian/query/limits.ts";
import { FanOut } from "../live/fan-out.ts";
import { CoverageKeeper } from "../modules/completeness/keeper.ts";
import { LatestKeeper } from "../modules/latest/keeper.ts";
import {
  type ManifestFollowers,
  manifestPort,
  rebuildManifest,
  wantedManifest,
} from "../modules/manifests/service.ts";
import { learnSealKey, type Vault } from "../modules/secrets/service.ts";
import { WriteOutcomes } from "../modules/writes/outcomes.ts";
import type { HubIdentity, ManifestPort } from "../ports.ts";
import { Answers } from "./answers.ts";
import { CreditBudget } from "./credit.ts";
import { FairShare } from "./fair-share.ts";
import { Gate } from "./gate.ts";
import { HelloOrder } from "./hello-order.ts";
import type { CommittedSamples } from "./intake.ts";
import { postgresMarks } from "./mark-store.ts";
import { hubMetrics } from "./metrics.ts";
import type { SessionDeps } from "./session.ts";
import { Sessions } from "./sessions.ts";
import { zstd } from "./zstd.ts";

/** Bytes all gateways together may have unacknowledged: what a stopped database can make the hub hold in memory. */
export const INGEST_BYTES_MAX = 128 * 1024 * 1024;

/** Hellos that are checked at the same time; each is a handful of short statements. */
export const HELLOS_AT_ONCE = 4;

export interface IngestInput {
  database: Database;
  identity: HubIdentity;
  vault: Vault;
  clock: Clock;
  registry: Registry;
}

/** Everything between the gateways' sockets, the journal and the browsers. */
export interface Ingest {
  sessions: Sessions;
  manifests: ManifestPort;
  latest: LatestKeeper;
  /** Which minutes of which tag came. */
  coverage: CoverageKeeper;
  fanOut: FanOut;
  /** Columns of the newest frames, for queries. */
  frames: FrameCache;
  /** Outcomes of commands as they come. */
  answers: Answers;
  /** What a gateway's session needs; for the uplink route. */
  sessionDeps: SessionDeps;
  /** Loads the latest values; to be awaited before the hub listens. */
  start(): Promise<void>;
  /** Ends sessions after their commits, and stores the latest values. */
  stop(): Promise<void>;
}

export function createIngest({ database, identity, vault, clock, registry }: IngestInput): Ingest {
  const { db, sql, ingestSql } = database;
  const metrics = hubMetrics(registry);
  const sessions = new Sessions({ db, sql, clock, metrics });
  const latest = new LatestKeeper({ sql, clock, compression: zstd });
  const coverage = new CoverageKeeper({
    sql,
    clock,
    compression: zstd,
    ownerOf: (tagNo) => latest.cache.ownerOf(tagNo),
  });
  const frames = new FrameCache({ bytesMax: QUERY.frameCacheBytes, ageMsMax: QUERY.frameCacheMs }, clock);
  const answers = new Answers(clock);
  const outcomes = new WriteOutcomes({ db, clock });
  answers.onHeard(() => void outcomes.look());
  const fanOut = new FanOut({
    clock,
    metrics,
    cache: latest.cache,
    links: () => sessions.links(),
    linksVersion: () => sessions.linksVersion,
  });
  const manifestDeps = { db, identity, vault };
  const manifests = manifestPort(manifestDeps, followersOf(latest, coverage, sessions));
  const sessionDeps: SessionDeps = {
    db,
    sql: ingestSql,
    store: postgresMarks(ingestSql),
    clock,
    metrics,
    hubId: identity.hubId,
    budget: new CreditBudget(INGEST_BYTES_MAX),
    fairShare: new FairShare(),
    compression: zstd,
    committed: committedTo(latest, coverage, frames, answers),
    sessions,
    hellos: new Gate(HELLOS_AT_ONCE),
    order: new HelloOrder(),
    nonce: () => randomBytes(32).toString("base64url"),
    wanted: (gatewayId) => wantedManifest(manifestDeps, gatewayId),
    sealKeyShown: async (gatewayId, sealKey) => {
      if (await learnSealKey(db, gatewayId, sealKey)) await rebuildManifest(manifestDeps, gatewayId);
    },
  };
  return {
    sessions,
    manifests,
    latest,
    coverage,
    fanOut,
    frames,
    answers,
    sessionDeps,
    async start() {
      await latest.start();
      await coverage.start();
      await sessions.load();
      sessions.start();
      fanOut.start();
      outcomes.start();
    },
    async stop() {
      fanOut.stop();
      await sessions.stop();
      await outcomes.stop();
      await latest.stop();
      await coverage.stop();
    },
  };
}

const followersOf = (
  latest: LatestKeeper,
  coverage: CoverageKeeper,
  sessions: Sessions,
): ManifestFollowers => ({
  tagsChanged: async (gatewayIds) => {
    await latest.tagsChanged(gatewayIds);
    await coverage.tagsChanged(gatewayIds);
  },
  offer: (gatewayId, manifest) => sessions.offer(gatewayId, manifest),
});

/**
 * Coverage goes first: the latest values move the times of a boot without a clock inside the columns. The frame cache
 * goes last, because from then on nobody may change them.
 */
const committedTo = (
  latest: LatestKeeper,
  coverage: CoverageKeeper,
  frames: FrameCache,
  answers: Answers,
): CommittedSamples => ({
  absorb(gatewayNo, columns, offsetMs, lane, frame) {
    if (lane !== "L") coverage.absorb(gatewayNo, columns, offsetMs);
    const foreign = latest.absorb(gatewayNo, columns, offsetMs);
    if (lane !== "L" && frame !== undefined) frames.keep({ gatewayNo, ...frame }, columns, offsetMs);
    return foreign;
  },
  reached(gatewayNo, epoch, key, seq) {
    latest.reached(gatewayNo, epoch, key, seq);
    coverage.reached(gatewayNo, epoch, key, seq);
  },
  anchored: (gatewayNo) => latest.anchored(gatewayNo),
  answered: (commandIds) => answers.heard(commandIds),
});
