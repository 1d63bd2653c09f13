import { rm } from "node:fs/promises";
import { join } from "node:path";
import { getLogger } from "@logtape/logtape";
import { decodeSettings } from "@millrace/contract/driver/settings";
import { type AppError, asAppError } from "@millrace/contract/error/app-error";
import { type SparkplugSettings, sparkplugDeclaration } from "@millrace/contract/sparkplug/settings";
import { canonicalJson } from "@millrace/contract/std/canonical-json";
import type { Clock, Random } from "@millrace/contract/std/clock";
import type { SparkplugStatus } from "@millrace/contract/vocabulary/sparkplug";
import type { GatewayEvent } from "@millrace/contract/wire/event";
import type { ManifestDevice, ManifestSparkplug } from "@millrace/contract/wire/manifest";
import type { WriteDeps, WritePermit } from "../commands/write.ts";
import type { Keep } from "../driver/keep.ts";
import { clientIdOf } from "../driver/mqtt-wire/client-id.ts";
import type { SampleSink } from "../outbox/sink.ts";
import type { Fleet } from "../supervisor/fleet.ts";
import { EdgeNode, type EdgePorts } from "./edge-node.ts";
import { SqliteHistory } from "./history.ts";
import { type Library, SparkplugLink } from "./link.ts";
import { planOf } from "./plan.ts";
import { statusOf } from "./status.ts";
import { HostWrites } from "./writes.ts";

const log = getLogger(["gateway", "sparkplug"]);

const HISTORY_FILE = "sparkplug-history.db";
const BDSEQ_FILE = "sparkplug-bdseq";

export interface SparkplugDeps {
  folder: string;
  clock: Clock;
  random: Random;
  keep: Keep;
  software: string;
  fleet: () => Pick<Fleet, "device" | "writeTarget">;
  permit: WritePermit;
  holds: WriteDeps["holds"];
  report: (event: GatewayEvent) => void;
}

/** One edge node as it runs. */
export interface Running {
  name: { groupId: string; edgeNodeId: string };
  settings: SparkplugSettings;
  node: EdgeNode;
  link: SparkplugLink;
  writes: HostWrites;
  history: SqliteHistory;
}

/** The gateway as Sparkplug edge node, as far as its manifest says so. */
export class Sparkplug {
  readonly #deps: SparkplugDeps;
  #running: Running | null = null;
  #refused: { name: ManifestSparkplug; error: AppError; sinceMs: number } | null = null;
  #text = "";
  #stopped = false;

  constructor(deps: SparkplugDeps) {
    this.#deps = deps;
  }

  /** Samples go on to `inner`, and to the edge node while there is one. */
  sink(inner: SampleSink): SampleSink {
    return {
      push: (tagNo, kind, value, quality, timeMs) => {
        inner.push(tagNo, kind, value, quality, timeMs);
        this.#running?.node.take(tagNo, value, quality, timeMs);
      },
    };
  }

  /**
   * Ends the session and begins another when anything of what is told changed; devices are applied already. Never
   * rejects: settings that are wrong stop the edge node and nothing else.
   */
  async apply(wanted: ManifestSparkplug | undefined, devices: readonly ManifestDevice[]): Promise<void> {
    const text = wanted === undefined ? "" : canonicalJson({ wanted, devices });
    if (this.#stopped || text === this.#text) return;
    await this.#end();
    this.#text = text;
    if (wanted === undefined) return await this.#forgetHistory();
    try {
      this.#running = await this.#begin(wanted, devices);
    } catch (thrown) {
      const error = asAppError(thrown);
      this.#refused = { name: wanted, error, sinceMs: this.#deps.clock.nowMs() };
      log.error("{reason}", { code: error.code, reason: error.message });
    }
  }

  async #begin(wanted: ManifestSparkplug, devices: readonly ManifestDevice[]): Promise<Running> {
    const { clock, random, keep, permit, holds, report, software } = this.#deps;
    const settings = decodeSettings(sparkplugDeclaration, wanted.settings);
    const plan = planOf(devices, settings.deviceIds);
    const history = await this.#openHistory(settings, plan);
    const { groupId, edgeNodeId } = wanted;
    const node = new EdgeNode({
      name: { groupId, edgeNodeId },
      software,
      plan,
      primaryHost: settings.primaryHost ?? null,
      writes: settings.writes,
      keepAliveMs: settings.keepAliveMs,
      bdSeq: await readBdSeq(keep),
      history,
      ports: this.#ports(),
    });
    const fleet = { writeTarget: (tagNo: number) => this.#deps.fleet().writeTarget(tagNo) };
    const newId = () => Bun.randomUUIDv7();
    const writes = new HostWrites({ clock, fleet, permit, holds, report, newId, broker: settings.broker });
    // The library is loaded by whoever is an edge node.
    const library: Library = await import("../driver/mqtt-wire/open.ts");
    const link = new SparkplugLink({
      settings,
      clientId: settings.clientId ?? (await clientIdOf(keep, `sparkplug ${groupId}/${edgeNodeId}`)),
      node,
      library,
      clock,
      random,
      // A disk that refuses must not silence the edge node: at worst a number is used again after a power cut.
      keepBdSeq: (bdSeq) =>
        keep.write(BDSEQ_FILE, `${bdSeq}\n`).catch((thrown: unknown) => {
          log.warn("the number of the session could not be kept: {error}", { error: asAppError(thrown) });
        }),
      onWrite: (order) => writes.take(order),
      onRefusal: (refusal) => writes.refuse(refusal),
    });
    link.start();
    return { name: { groupId, edgeNodeId }, settings, node, link, writes, history };
  }

  #ports(): EdgePorts {
    const { fleet } = this.#deps;
    return {
      online: (deviceId) => fleet().device(deviceId)?.link().linkState === "up",
      present: (deviceId) => {
        const columns = fleet().device(deviceId)?.columns;
        const views = columns?.tags.map((_, index) => columns.view(index)) ?? [];
        return new Map(views.map((view) => [view.tag.tagNo, view]));
      },
    };
  }

  /** A file that is damaged is set up anew: the hub has the samples all the same. */
  async #openHistory(settings: SparkplugSettings, plan: ReturnType<typeof planOf>): Promise<SqliteHistory> {
    const path = join(this.#deps.folder, HISTORY_FILE);
    try {
      return new SqliteHistory(path, settings.historySamplesMax, plan);
    } catch (thrown) {
      log.error("what waited for Sparkplug hosts is lost: {error}", { error: asAppError(thrown) });
      await this.#forgetHistory();
      return new SqliteHistory(path, settings.historySamplesMax, plan);
    }
  }

  async #forgetHistory(): Promise<void> {
    for (const suffix of ["", "-wal", "-shm"])
      await rm(join(this.#deps.folder, HISTORY_FILE + suffix), { force: true }).catch(() => undefined);
  }

  async #end(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    this.#refused = null;
    if (running === null) return;
    await running.link.stop();
    await running.writes.settled();
    running.history.close();
  }

  status(): SparkplugStatus | null {
    if (this.#running !== null) return statusOf(this.#running);
    if (this.#refused === null) return null;
    const { name, error, sinceMs } = this.#refused;
    return statusOf({ name, error, sinceMs });
  }

  /** State and cause without figures: equal texts mean that nothing changed. Cheap enough to ask often. */
  stateText(): string {
    const status = this.status();
    return status === null ? "" : `${status.state} ${status.code}`;
  }

  /** Tells the death. What waits stays for the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#end();
  }
}

async function readBdSeq(keep: Keep): Promise<number | null> {
  const text = (await keep.read(BDSEQ_FILE))?.trim() ?? "";
  return /^\d{1,3}$/.test(text) && Number(text) <= 255 ? Number(text) : null;
}
