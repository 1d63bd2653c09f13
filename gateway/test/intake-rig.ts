import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@millrace/contract/std/clock";
import type { TagValue } from "@millrace/contract/vocabulary/value";
import type { ManifestDevice } from "@millrace/contract/wire/manifest";
import { type Intake, type IntakeSettings, openIntake } from "../src/intake/open.ts";
import { type Namespace, openNamespace } from "../src/namespace/open.ts";
import { type Outbox, openOutbox } from "../src/outbox/outbox.ts";
import type { SampleSink } from "../src/outbox/sink.ts";
import { Fleet } from "../src/supervisor/fleet.ts";

export const TOKEN_A = "a".repeat(43);
export const TOKEN_B = "b".repeat(43);

export interface Sample {
  tagNo: number;
  value: TagValue;
  quality: number;
  timeMs: number;
}

export const pushDevice = (
  no: number,
  login: string,
  token: string,
  addresses: string[],
): ManifestDevice => ({
  deviceId: `0198c0de-0000-7000-8000-00000000000${no}`,
  name: login,
  path: `Plant/${login}`,
  driver: "push",
  settings: { login, token },
  tags: addresses.map((address, at) => ({
    tagNo: no * 10 + at,
    name: `tag ${at}`,
    path: `Plant/${login}/tag ${at}`,
    address,
    dataType: "float64",
    unit: "",
    scanMs: 1_000,
    heartbeatMs: 60_000,
    deadband: 0,
  })),
});

/** A gateway's intake over a real outbox, with two devices: `press` with token A and `oven` with token B. */
export class IntakeRig implements AsyncDisposable {
  readonly samples: Sample[] = [];
  readonly folder: string;
  readonly outbox: Outbox;
  readonly intake: Intake;
  readonly fleet: Fleet;
  readonly namespace: Namespace;

  private constructor(folder: string, outbox: Outbox, intake: Intake, settings: IntakeSettings) {
    this.folder = folder;
    this.outbox = outbox;
    this.intake = intake;
    const sink: SampleSink = {
      push: (tagNo, kind, value, quality, timeMs) => {
        this.samples.push({ tagNo, value, quality, timeMs });
        outbox.sink.push(tagNo, kind, value, quality, timeMs);
      },
    };
    this.namespace = openNamespace(settings, intake, systemClock, () => this.fleet.devices());
    this.fleet = new Fleet({
      clock: systemClock,
      random: Math.random,
      sink: this.namespace.tee(sink),
      arrivals: intake.desk,
    });
  }

  /** Runs these devices, as the gateway does with a manifest, until all of them are reached. */
  async run(devices: readonly ManifestDevice[]): Promise<void> {
    this.namespace.apply(devices);
    await this.fleet.apply({ rev: 1, devices: [...devices] });
    while (this.fleet.statuses().some(({ linkState }) => linkState !== "up")) await systemClock.sleep(2);
  }

  static async start(settings: Partial<IntakeSettings> = {}, folder?: string): Promise<IntakeRig> {
    const place = folder ?? (await mkdtemp(join(tmpdir(), "millrace-intake-")));
    let epoch = 1;
    const outbox = await openOutbox({
      folder: place,
      epoch,
      renewEpoch: async () => ++epoch,
      bootNo: 1,
      clock: systemClock,
      sealMs: 60_000,
      onReport: () => undefined,
      onCrash: (error) => {
        throw error;
      },
    });
    const all: IntakeSettings = {
      intakeMqttHost: "127.0.0.1",
      intakeMqttPort: 0,
      intakeHttpHost: "127.0.0.1",
      intakeHttpPort: 0,
      intakeTlsCertFile: "",
      intakeTlsKeyFile: "",
      intakeAllowPlain: true,
      intakeAllowPublic: false,
      namespaceOn: true,
      namespacePrefix: "v1",
      ...settings,
    };
    const intake = await openIntake(all, {
      clock: systemClock,
      receipt: (id) => outbox.receipt(id),
      keep: (receipt) => outbox.keep(receipt),
    });
    const rig = new IntakeRig(place, outbox, intake!, all);
    await rig.run([
      pushDevice(1, "press", TOKEN_A, ["temp", "state json=$.v"]),
      pushDevice(2, "oven", TOKEN_B, ["temp"]),
    ]);
    return rig;
  }

  get mqttPort(): number {
    return this.intake.broker!.port;
  }

  /** Samples with a value, as `tag number = value`. */
  get values(): string[] {
    return this.samples
      .filter(({ value }) => value !== null)
      .map(({ tagNo, value }) => `${tagNo} = ${value}`);
  }

  post(path: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.intake.httpPort}${path}`, {
      method: "POST",
      body,
      headers: {
        authorization: `Bearer ${TOKEN_A}`,
        "content-type": "application/json",
        "idempotency-key": crypto.randomUUID(),
        ...headers,
      },
    });
  }

  /** Ends it and leaves its folder. */
  async stop(): Promise<void> {
    this.namespace.stop();
    await this.intake.stop();
    await this.fleet.stop();
    await this.outbox.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Mosquitto's own client. @returns its exit code and what it said */
export async function mosquittoPub(
  port: number,
  topic: string,
  payload: string,
  more: string[],
): Promise<{ code: number; said: string }> {
  const client = Bun.spawn(
    ["mosquitto_pub", "-h", "127.0.0.1", "-p", String(port), "-t", topic, "-m", payload, ...more],
    { stdout: "ignore", stderr: "pipe" },
  );
  const said = await new Response(client.stderr).text();
  return { code: await client.exited, said };
}

/** Its output comes line by line, also into a pipe. */
export const BY_LINE = ["stdbuf", "-oL", "-eL"];

/** Listens until told to stop. Lines are `topic payload`. */
export function mosquittoSub(port: number, topic: string, more: string[]) {
  const client = Bun.spawn(
    [...BY_LINE, "mosquitto_sub", "-h", "127.0.0.1", "-p", String(port), "-t", topic, "-v", "-d", ...more],
    { stdout: "pipe", stderr: "pipe" },
  );
  let said = "";
  const read = async (stream: ReadableStream<Uint8Array>) => {
    for await (const part of stream) said += Buffer.from(part).toString("utf8");
  };
  void read(client.stdout);
  void read(client.stderr);
  return {
    said: () => said,
    async stop(): Promise<string> {
      // A client whose every subscription was refused ends by itself, and may hang when it is asked to end meanwhile.
      client.kill("SIGKILL");
      await client.exited;
      await systemClock.sleep(20);
      return said;
    },
  };
}
