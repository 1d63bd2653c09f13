import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { MqttSettings } from "@millrace/contract/driver/mqtt/settings";
import { AppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import { type IClientOptions, MqttClient } from "mqtt";
import { isVersionRefusal, linkFault, reasonFault } from "./fault.ts";
import { GuardedStream } from "./guarded-stream.ts";
import { CONNACK, PacketGuard } from "./packet-guard.ts";
import type { Arrived, Taken, Will, Wire, WireEvents } from "./wire.ts";

/** Bytes of a packet beside its payload: topic and properties. */
const ENVELOPE_BYTES = 16_384;
/** Messages the broker may send before we acknowledge the first. */
const RECEIVE_MAX = 100;
/** How long the broker keeps our session when the link is gone, s; its own quota ends it sooner. */
const SESSION_S = 86_400;
/** After so much work at a stretch everything else in the gateway gets its turn. */
const SLICE_MS = 10;
/** DISCONNECT, the same bytes in both versions. */
const DISCONNECT = [0xe0, 0];
/** The same with the reason by which a broker of MQTT 5 tells our will all the same (3.14.2.1). */
const DISCONNECT_WITH_WILL = [0xe0, 1, 4];
const GOODBYE_MS = 200;

type Version = 4 | 5;

/** How a broker is reached. */
export type WireSettings = Pick<
  MqttSettings,
  | "broker"
  | "user"
  | "password"
  | "ca"
  | "clientCertificate"
  | "clientKey"
  | "serverName"
  | "resume"
  | "keepAliveMs"
  | "timeoutMs"
  | "messageBytesMax"
>;

export interface OpenInput {
  settings: WireSettings;
  clientId: string;
  version: Version;
  clock: Clock;
  events: WireEvents;
  signal: AbortSignal;
  /** What the broker shall tell when we are lost; asked for once before each CONNECT, when the broker can be reached. */
  will?: () => Promise<Will>;
}

/** The broker does not speak this version. */
export class VersionRefused extends Error {}

const PORTS = { "mqtt:": 1_883, "mqtts:": 8_883 } as const;

function newSocket(settings: WireSettings): { socket: Socket; opened: "connect" | "secureConnect" } {
  const url = new URL(settings.broker);
  const tls = url.protocol === "mqtts:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = url.port === "" ? PORTS[tls ? "mqtts:" : "mqtt:"] : Number(url.port);
  if (!tls) return { socket: connectTcp({ host, port }), opened: "connect" };
  const { ca, clientCertificate, clientKey, serverName } = settings;
  const socket = connectTls({
    host,
    port,
    rejectUnauthorized: true,
    // An address is no name to ask for (RFC 6066); the certificate is checked against it all the same.
    ...(serverName === undefined && isIP(host) !== 0 ? {} : { servername: serverName ?? host }),
    ...(ca === undefined ? {} : { ca }),
    ...(clientCertificate === undefined ? {} : { cert: clientCertificate, key: clientKey! }),
  });
  return { socket, opened: "secureConnect" };
}

/**
 * Open, and with TLS known to be the broker's: a hello carries the password, so not a byte of it goes before.
 * @throws AppError `link.*`, `setting.wrong` for a certificate that is none
 */
function openSocket({ settings, signal, clock }: OpenInput): Promise<Socket> {
  const { broker, timeoutMs } = settings;
  return new Promise((resolve, reject) => {
    let made: ReturnType<typeof newSocket>;
    try {
      made = newSocket(settings);
    } catch (thrown) {
      const what = thrown instanceof Error ? thrown.message.slice(0, 120) : "unreadable";
      const message = `MQTT: setting "ca", "clientCertificate" or "clientKey": not a PEM we can read (${what}).`;
      return reject(new AppError("setting.wrong", message, { context: { setting: "ca" } }));
    }
    const { socket, opened } = made;
    const settle = (run: () => void) => {
      cancel();
      signal.removeEventListener("abort", onAbort);
      socket.off(opened, onOpen).off("error", onError).off("close", onClose);
      run();
    };
    const fail = (error: unknown) =>
      settle(() => {
        socket.destroy();
        reject(error);
      });
    const onAbort = () => fail(signal.reason);
    const cancel = clock.after(timeoutMs, () => fail(silence(settings)));
    signal.addEventListener("abort", onAbort, { once: true });
    const onOpen = () => settle(() => resolve(socket));
    const onError = (thrown: unknown) => fail(linkFault(broker, thrown));
    const onClose = () => fail(new AppError("link.lost", `${broker}: the broker ended the connection.`));
    // What comes after the first failure says nothing new, and must not end the process.
    socket.on("error", () => undefined);
    socket.on(opened, onOpen).on("error", onError).on("close", onClose);
  });
}

const silence = ({ broker, timeoutMs }: WireSettings): AppError =>
  new AppError("link.unreachable", `${broker}: no answer within ${timeoutMs} ms.`);

function optionsOf({ settings, clientId, version }: OpenInput, will: Will | null): IClientOptions {
  const { user, password, resume, keepAliveMs, messageBytesMax } = settings;
  return {
    clientId,
    protocolVersion: version,
    protocolId: "MQTT",
    clean: !resume,
    keepalive: Math.ceil(keepAliveMs / 1_000),
    timerVariant: "native",
    // Asked also while we talk: what goes out says nothing of who reads it.
    reschedulePings: false,
    // The supervisor connects again; a library that does so by itself knows nothing of its waits and its limits.
    reconnectPeriod: 0,
    // Ours comes first and has words for it.
    connectTimeout: settings.timeoutMs + 1_000,
    resubscribe: false,
    queueQoSZero: false,
    subscribeBatchSize: 50,
    ...(user === undefined ? {} : { username: user }),
    ...(password === undefined ? {} : { password }),
    ...(will === null
      ? {}
      : { will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: false } }),
    ...(version === 5
      ? {
          properties: {
            sessionExpiryInterval: resume ? SESSION_S : 0,
            maximumPacketSize: messageBytesMax + ENVELOPE_BYTES,
            receiveMaximum: RECEIVE_MAX,
          },
        }
      : {}),
  };
}

/**
 * Opens one connection and says hello. The only place that knows the MQTT library.
 * @throws AppError `link.*`; VersionRefused; the signal's reason
 */
export async function openWire(input: OpenInput): Promise<Wire> {
  const socket = await openSocket(input);
  let will: Will | null = null;
  try {
    will = (await input.will?.()) ?? null;
    input.signal.throwIfAborted();
  } catch (thrown) {
    socket.destroy();
    throw thrown;
  }
  return await sayHello(socket, input, optionsOf(input, will));
}

function sayHello(socket: Socket, input: OpenInput, options: IClientOptions): Promise<Wire> {
  const { settings, signal, events, clock } = input;
  const { broker } = settings;
  return new Promise((resolve, reject) => {
    const guard = new PacketGuard({
      packetBytesMax: settings.messageBytesMax + ENVELOPE_BYTES,
      qos2: false,
      first: CONNACK,
    });
    let why: AppError | null = null;
    let opened = false;
    let ended = false;
    let timedOut = false;
    const client = new MqttClient(() => {
      const stream = new GuardedStream(socket, guard);
      stream.on("error", (thrown) => {
        why ??= linkFault(broker, thrown);
      });
      return stream;
    }, options);
    const end = () => {
      ended = true;
      client.end(true);
      client.stream?.destroy();
    };
    const cancel = clock.after(settings.timeoutMs, () => {
      timedOut = true;
      end();
      settle(() => reject(silence(settings)));
    });
    const onAbort = () => {
      end();
      settle(() => reject(signal.reason));
    };
    const settle = (run: () => void) => {
      cancel();
      signal.removeEventListener("abort", onAbort);
      run();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    client.on("connect", ({ sessionPresent }) => {
      opened = true;
      settle(() => resolve(new OpenWire(client, input, sessionPresent, end)));
    });
    client.on("error", (thrown) => {
      const { code } = thrown as { code?: unknown };
      if (!opened && isVersionRefusal(code)) {
        end();
        settle(() => reject(new VersionRefused()));
      } else if (/Keepalive timeout/.test(thrown.message)) {
        why ??= new AppError("link.lost", `${broker}: the broker stopped answering.`);
      } else why ??= linkFault(broker, thrown);
    });
    client.on("disconnect", ({ reasonCode }) => {
      if (reasonCode !== undefined) why = reasonFault(broker, reasonCode);
    });
    client.on("packetreceive", () => events.onAlive());
    client.on("close", () => {
      const told = why ?? new AppError("link.lost", `${broker}: the broker ended the connection.`);
      if (!opened) settle(() => reject(told));
      else if (!ended && !timedOut) {
        end();
        events.onClosed(told);
      }
    });
    client.handleMessage = takeTurns(clock, events);
  });
}

/** Hands over one message after the other, and lets the rest of the gateway in between: a flood stays in the socket. */
function takeTurns(clock: Clock, { onMessage }: WireEvents): MqttClient["handleMessage"] {
  let sliceMonoMs = Number.NEGATIVE_INFINITY;
  let lastMonoMs = Number.NEGATIVE_INFINITY;
  return (packet, done) => {
    const payload = typeof packet.payload === "string" ? Buffer.from(packet.payload) : packet.payload;
    const arrived: Arrived = { topic: packet.topic, payload, retain: packet.retain, qos: packet.qos };
    const before = clock.monoMs();
    if (before - lastMonoMs > 1) sliceMonoMs = before;
    onMessage(arrived);
    lastMonoMs = clock.monoMs();
    if (lastMonoMs - sliceMonoMs < SLICE_MS) return done();
    clock.after(0, () => {
      sliceMonoMs = clock.monoMs();
      done();
    });
  };
}

/** Reason codes of MQTT 5.0, 2.4: from here on failures. */
const REASON_REFUSED_MIN = 0x80;
const NO_MATCHING_SUBSCRIBERS = 0x10;

class OpenWire implements Wire {
  readonly sessionPresent: boolean;
  readonly #client: MqttClient;
  readonly #input: OpenInput;
  readonly #end: () => void;

  constructor(client: MqttClient, input: OpenInput, sessionPresent: boolean, end: () => void) {
    this.#client = client;
    this.#input = input;
    this.sessionPresent = sessionPresent;
    this.#end = end;
  }

  subscribe(filters: readonly string[], qos: 0 | 1): Promise<number[]> {
    return new Promise((resolve, reject) => {
      const wanted = Object.fromEntries(filters.map((filter) => [filter, { qos }]));
      this.#client.subscribe(wanted, (error, granted, packet) => {
        // The library calls one refusal among many an error; each answer says which it is.
        const codes = packet?.granted as number[] | undefined;
        if (codes !== undefined && codes.length === filters.length) resolve(codes);
        else if (error === null && granted?.length === filters.length)
          resolve(granted.map(({ qos: code }) => code));
        else reject(error ?? new Error("the answer does not fit the question"));
      });
    });
  }

  unsubscribe(filters: readonly string[]): void {
    if (this.#client.connected) this.#client.unsubscribe([...filters], () => undefined);
  }

  publish(topic: string, payload: Uint8Array): void {
    if (this.#client.connected)
      this.#client.publish(topic, Buffer.from(payload), { qos: 0 }, () => undefined);
  }

  async publishSurely(topic: string, payload: Uint8Array, msMax: number): Promise<boolean> {
    if (!this.#client.connected) return false;
    return await new Promise<boolean>((resolve) => {
      const cancel = this.#input.clock.after(msMax, () => resolve(false));
      this.#client.publish(topic, Buffer.from(payload), { qos: 1 }, (error) => {
        cancel();
        resolve(error === undefined || error === null);
      });
    });
  }

  async command(topic: string, payload: Uint8Array, expiryMs: number): Promise<Taken> {
    // The library would keep it for a connection to come.
    if (!this.#client.connected) return { at: "unsent" };
    if (this.#input.version !== 5) return await this.#commandOnce(topic, payload);
    // A device that comes back after hours must not be told then what somebody wanted before.
    const options = { qos: 1, properties: { messageExpiryInterval: Math.ceil(expiryMs / 1_000) } } as const;
    const reasons = new Map<number, number>();
    // The library hands over no answer but a refusal; one that comes late belongs to an earlier message.
    const look = (packet: { cmd: string; messageId?: number; reasonCode?: number }) => {
      if (packet.cmd === "puback") reasons.set(packet.messageId ?? 0, packet.reasonCode ?? 0);
    };
    this.#client.on("packetreceive", look);
    try {
      return await new Promise<Taken>((resolve, reject) => {
        this.#client.publish(topic, Buffer.from(payload), options, (error) => {
          const code = (error as { code?: unknown } | null | undefined)?.code;
          if (typeof code === "number" && code >= REASON_REFUSED_MIN) resolve({ at: "refused", code });
          else if (error) reject(error);
          else resolve({ at: reasons.get(id) === NO_MATCHING_SUBSCRIBERS ? "nobody" : "taken" });
        });
        const id = this.#client.getLastMessageId();
      });
    } finally {
      this.#client.off("packetreceive", look);
    }
  }

  /** With 3.1.1 nothing expires, but what goes with quality of service 0 waits for nobody (4.3.1). */
  #commandOnce(topic: string, payload: Uint8Array): Promise<Taken> {
    return new Promise<Taken>((resolve, reject) => {
      this.#client.publish(topic, Buffer.from(payload), { qos: 0 }, (error) => {
        if (error) reject(error);
        else resolve({ at: "taken" });
      });
    });
  }

  get backlogBytes(): number {
    return this.#client.stream.writableLength;
  }

  async close(withWill = false): Promise<void> {
    if (this.#client.connected) {
      // A goodbye, so that the broker does not take us for lost. The library's own waits for answers that may never come.
      const goodbye = withWill && this.#input.version === 5 ? DISCONNECT_WITH_WILL : DISCONNECT;
      this.#client.stream.end(Buffer.from(goodbye));
      await new Promise<void>((resolve) => {
        this.#client.stream.once("finish", () => resolve());
        this.#input.clock.after(GOODBYE_MS, resolve);
      });
    }
    this.#end();
  }
}
