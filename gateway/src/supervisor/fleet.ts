import { getLogger } from "@logtape/logtape";
import type { Series } from "@millrace/contract/block/series";
import { AppError } from "@millrace/contract/error/app-error";
import { canonicalJson } from "@millrace/contract/std/canonical-json";
import type { Clock, Random } from "@millrace/contract/std/clock";
import type { DeviceStatus } from "@millrace/contract/vocabulary/gateway";
import type { Manifest, ManifestDevice } from "@millrace/contract/wire/manifest";
import type { Arrivals } from "../driver/arrivals.ts";
import type { Keep } from "../driver/keep.ts";
import { type AnyDriver, driverOf } from "../driver/registry.ts";
import { groupByTag } from "../outbox/group.ts";
import { SampleBuffer } from "../outbox/sample-buffer.ts";
import type { SampleSink } from "../outbox/sink.ts";
import { causeOf } from "./cause.ts";
import { Connection } from "./connection.ts";
import { DeviceSupervisor } from "./device.ts";
import { Line } from "./line.ts";
import { prepareDevice } from "./prepare.ts";
import type { Reach } from "./reach.ts";
import type { WriteTarget } from "./write.ts";

const log = getLogger(["gateway", "fleet"]);

export interface FleetDeps {
  clock: Clock;
  random: Random;
  sink: SampleSink;
  keep?: Keep;
  /** Where devices that send by themselves arrive. */
  arrivals?: Arrivals;
  /** Which drivers there are; the registry of the gateway unless a test brings its own. */
  driverOf?: typeof driverOf;
  /** What is held at machines: taken back first when a link comes up, and last before a device stops. */
  holds?: { deviceIsUp(deviceId: string): void; deviceStops(deviceId: string): Promise<void> };
}

export interface FleetChange {
  started: number;
  stopped: number;
  kept: number;
}

interface Entry {
  supervisor: DeviceSupervisor;
  /** The device as text, to see whether it changed. */
  text: string;
}

/** All devices of this gateway, and the connections they share. */
export class Fleet {
  readonly #deps: FleetDeps;
  readonly #devices = new Map<string, Entry>();
  readonly #connections = new Map<string, Connection>();
  /** One manifest is applied at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(deps: FleetDeps) {
    this.#deps = deps;
  }

  /** Stops and starts what differs from what runs; an unchanged device does not notice. */
  apply(manifest: Pick<Manifest, "rev" | "devices">): Promise<FleetChange> {
    const done = this.#turn.then(() => this.#apply(manifest.devices));
    this.#turn = done.catch(() => undefined);
    return done.then((change) => {
      log.info("manifest {rev} runs: {started} devices started, {stopped} stopped, {kept} kept", {
        rev: manifest.rev,
        ...change,
      });
      return change;
    });
  }

  async stop(): Promise<void> {
    await this.apply({ rev: 0, devices: [] });
  }

  /** In the order of the manifest. */
  devices(): DeviceSupervisor[] {
    return [...this.#devices.values()].map((entry) => entry.supervisor);
  }

  device(deviceId: string): DeviceSupervisor | null {
    return this.#devices.get(deviceId)?.supervisor ?? null;
  }

  statuses(): DeviceStatus[] {
    return this.devices().map((supervisor) => supervisor.status());
  }

  /** Connections that devices of the running configuration use. */
  connections(): Connection[] {
    return [...this.#connections.values()].filter(({ devices }) => devices > 0);
  }

  /** The link states of all devices as one text: equal texts mean that nothing changed. Cheap enough to ask often. */
  linkText(): string {
    return this.devices()
      .map((supervisor) => Object.values(supervisor.link()).join(" "))
      .join();
  }

  /**
   * Stops the driver of one device and starts it anew, as after a change of its settings. Others that share its
   * connection keep it.
   * @throws AppError `entity.missing`
   */
  restart(deviceId: string): Promise<void> {
    const done = this.#turn.then(async () => {
      const entry = this.#devices.get(deviceId);
      if (!entry) throw new AppError("entity.missing", `This gateway has no device ${deviceId}.`);
      await this.#stop(entry);
      this.#forgetUnused();
      this.#devices.set(deviceId, { ...entry, supervisor: this.#start(entry.supervisor.device) });
      log.info("device {deviceId} restarted", { deviceId });
    });
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /**
   * The line to what these settings name, for a test: the one the running configuration has open, else one of its own
   * which a device that starts meanwhile takes over. So a device never sees two connections of ours.
   * The caller ends it with `close`.
   */
  visit(driver: AnyDriver, settings: unknown): Line {
    const connection = this.#connectionOf(
      driver,
      `${driver.kind}:${driver.connectionKey(settings as never)}`,
    );
    return new Line(connection, settings, (leave) => {
      // In turn with manifests: a connection that closes stays known until it is closed.
      const left = this.#turn.then(leave).then(() => this.#forgetUnused());
      this.#turn = left.catch(() => undefined);
      return left;
    });
  }

  /** Where a write to a tag goes; null when no device that runs here has it. */
  writeTarget(tagNo: number): WriteTarget | null {
    for (const supervisor of this.devices()) {
      const target = supervisor.writeTarget(tagNo);
      if (target !== null) return target;
    }
    return null;
  }

  /** The present value of every tag that has one, a series of one sample each; null when there is none. */
  snapshot(): Series[] | null {
    const buffer = new SampleBuffer(() => undefined);
    for (const supervisor of this.devices()) supervisor.columns.tellPresent(buffer);
    const batch = buffer.take();
    return batch === null ? null : groupByTag(batch);
  }

  async #apply(wanted: readonly ManifestDevice[]): Promise<FleetChange> {
    const texts = new Map(wanted.map((device) => [device.deviceId, canonicalJson(device)]));
    const leaving = [...this.#devices].filter(([id, entry]) => texts.get(id) !== entry.text);
    const kept = new Map([...this.#devices].filter(([id, entry]) => texts.get(id) === entry.text));
    // All stop before any starts: a connection is never opened twice to a device that takes only one.
    await Promise.all(leaving.map(([, entry]) => this.#stop(entry)));
    this.#devices.clear();
    this.#forgetUnused();
    let started = 0;
    for (const device of wanted) {
      if (this.#devices.has(device.deviceId)) continue;
      const entry = kept.get(device.deviceId) ?? {
        supervisor: this.#start(device),
        text: texts.get(device.deviceId)!,
      };
      if (!kept.has(device.deviceId)) started++;
      this.#devices.set(device.deviceId, entry);
    }
    return { started, stopped: leaving.length, kept: kept.size };
  }

  #forgetUnused(): void {
    for (const [key, connection] of this.#connections)
      if (connection.members === 0) this.#connections.delete(key);
  }

  async #stop({ supervisor }: Entry): Promise<void> {
    await this.#deps.holds?.deviceStops(supervisor.device.deviceId);
    await supervisor.stop();
  }

  #start(device: ManifestDevice): DeviceSupervisor {
    const supervisor = new DeviceSupervisor(device, this.#reach(device), this.#deps);
    supervisor.start();
    return supervisor;
  }

  /** Wrong settings take one device out of service, never the manifest. */
  #reach(device: ManifestDevice): Reach {
    try {
      const prepared = prepareDevice(device, this.#deps.driverOf ?? driverOf);
      return { ok: true, prepared, connection: this.#connectionOf(prepared.driver, prepared.connectionKey) };
    } catch (thrown) {
      return { ok: false, cause: causeOf(thrown) };
    }
  }

  #connectionOf(driver: AnyDriver, key: string): Connection {
    let connection = this.#connections.get(key);
    if (connection === undefined) {
      connection = new Connection(driver, key, this.#deps);
      this.#connections.set(key, connection);
    }
    return connection;
  }
}
