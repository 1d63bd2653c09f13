import { randomUUID } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { getLogger } from "@logtape/logtape";
import type { Clock } from "@millrace/contract/std/clock";
import { Aedes, type AuthenticateError, type Client } from "aedes";
import { GuardedStream } from "../driver/mqtt-wire/guarded-stream.ts";
import { CONNECT, PacketGuard } from "../driver/mqtt-wire/packet-guard.ts";
import { neighbourOf } from "../local/access/tries.ts";
import type { Tls } from "../local/listen.ts";
import { maySubscribe, sendsTo } from "./acl.ts";
import type { IntakeDesk } from "./desk.ts";
import { INTAKE } from "./limits.ts";

const log = getLogger(["gateway", "intake"]);

/** CONNACK of MQTT 3.1.1: not authorized. One answer for everything, so that it tells nothing. */
const NOT_AUTHORIZED = 5;
/** After a change of the configuration the device may stay if its token still counts. */
const LOOK_AGAIN_MS = 2_000;
const FORGET_MS = 1_000;
const ENVELOPE_BYTES = 4_096;

export interface BrokerInput {
  host: string;
  port: number;
  tls: Tls | null;
  clock: Clock;
  desk: IntakeDesk;
  /** Resolves with true when everything taken before lies on disk. */
  settled: () => Promise<boolean>;
}

/** Something the gateway itself tells whoever may listen. */
export interface Told {
  topic: string;
  payload: Uint8Array;
  retain: boolean;
}

export interface LocalBroker {
  port: number;
  /** What the gateway says. Devices may listen below their own topic; others it is told by who adds them. */
  publish(told: Told): Promise<void>;
  stop(): Promise<void>;
}

interface Guest {
  login: string;
  token: string;
  subscriptions: number;
}

/**
 * The gateway's own broker, for devices of the plant. Nobody is let in without a token, and nobody gets further than its
 * own topics. It keeps nothing: sessions, kept messages and queues of devices are not offered, so none can fill it.
 */
class Broker {
  readonly #input: BrokerInput;
  readonly #aedes: Aedes;
  readonly #server: Server;
  readonly #guests = new Map<Client, Guest>();
  /** By neighbour, for the time from the socket to the hello. */
  readonly #neighbours = new WeakMap<object, string>();
  readonly #wills = new WeakMap<object, string>();
  readonly #sockets = new Set<Socket>();

  constructor(input: BrokerInput, aedes: Aedes) {
    this.#input = input;
    this.#aedes = aedes;
    const join = (socket: Socket) => this.#join(socket);
    this.#server =
      input.tls === null
        ? createServer(join)
        : createTlsServer({ ...input.tls, handshakeTimeout: INTAKE.helloMs }, join);
    this.#rules();
    input.desk.onLeft((login) => {
      input.clock.after(LOOK_AGAIN_MS, () => this.#lookAgain(login));
    });
  }

  async listen(): Promise<LocalBroker> {
    const { host, port } = this.#input;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, resolve);
    });
    return {
      port: (this.#server.address() as { port: number }).port,
      publish: (told) => this.#publish(told),
      stop: () => this.#stop(),
    };
  }

  #join(socket: Socket): void {
    if (this.#sockets.size >= INTAKE.clientsMax) return void socket.destroy();
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.setNoDelay(true);
    const guard = new PacketGuard({
      packetBytesMax: INTAKE.bytesMax + ENVELOPE_BYTES,
      qos2: false,
      first: CONNECT,
    });
    const stream = new GuardedStream(socket, guard);
    stream.on("error", () => undefined);
    this.#neighbours.set(stream, neighbourOf(socket.remoteAddress ?? "unknown"));
    const client = this.#aedes.handle(stream);
    // Its will is still to be judged when the socket is gone.
    stream.once("close", () => this.#input.clock.after(FORGET_MS, () => this.#guests.delete(client)));
  }

  #rules(): void {
    const aedes = this.#aedes;
    aedes.preConnect = (client, packet, done) => {
      // What the device calls itself is its own affair: under another login it is another client.
      packet.clientId = `${packet.username ?? ""}/${packet.clientId || randomUUID()}`;
      // Nothing is kept for a device that is away.
      packet.clean = true;
      if (packet.will !== undefined) {
        packet.will.retain = false;
        if (packet.will.qos === 2) packet.will.qos = 1;
        this.#wills.set(client, packet.will.topic);
      }
      done(null, true);
    };
    aedes.authenticate = (client, user, password, done) => {
      const why = this.#refusal(client, user ?? "", password?.toString("utf8") ?? "");
      if (why === null) return done(null, true);
      log.debug("a device was not let in: {why}", { why });
      done(
        Object.assign(new Error("not authorized"), { returnCode: NOT_AUTHORIZED }) as AuthenticateError,
        false,
      );
    };
    aedes.authorizePublish = (client, packet, done) => {
      // Only a client that signed in sends; what the gateway says goes another way.
      const guest = client === null ? undefined : this.#guests.get(client);
      const topic = guest === undefined ? null : sendsTo(guest.login, packet.topic);
      if (guest === undefined || topic === null) return done(new Error("not authorized"));
      packet.retain = false;
      this.#take(guest.login, topic, packet.payload, packet.qos).then(
        (taken) => done(taken ? null : new Error("not taken")),
        () => done(new Error("not taken")),
      );
    };
    aedes.authorizeSubscribe = (client, subscription, done) => {
      const guest = this.#guests.get(client);
      const may = guest !== undefined && maySubscribe(guest.login, subscription.topic);
      if (!may || guest.subscriptions >= INTAKE.subscriptionsMax) return done(null, null);
      guest.subscriptions++;
      done(null, subscription);
    };
  }

  /** Why a hello is refused; null lets it in. */
  #refusal(client: Client, login: string, token: string): string | null {
    const neighbour = this.#neighbours.get(client.conn) ?? "unknown";
    if (!this.#input.desk.admits(login, token, neighbour)) return "login or token";
    const will = this.#wills.get(client);
    if (will !== undefined && sendsTo(login, will) === null) return "a will at a topic of others";
    // Who just left is remembered for its will, and takes no place.
    const own = [...this.#guests].filter(([one, guest]) => guest.login === login && !one.closed);
    if (own.length >= INTAKE.clientsPerLogin) return "too many";
    this.#guests.set(client, { login, token, subscriptions: 0 });
    return null;
  }

  /**
   * One message. What is acknowledged lies on this gateway's disk (quality of service 1); who sends faster than allowed
   * waits, and everything behind it in the socket.
   */
  async #take(login: string, topic: string, payload: Uint8Array | string, qos: number): Promise<boolean> {
    const { desk, clock, settled } = this.#input;
    const waitMs = desk.waitMs(login);
    if (waitMs > 0) await clock.sleep(waitMs);
    const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
    if (desk.offer(login, { topic, payload: bytes }) === null) return false;
    return qos === 0 || (await settled());
  }

  /** A login ended or changed. Its clients stay while their token still counts. */
  #lookAgain(login: string): void {
    for (const [client, guest] of this.#guests) {
      if (guest.login !== login || this.#input.desk.isToken(login, guest.token)) continue;
      this.#guests.delete(client);
      client.close();
    }
  }

  #publish({ topic, payload, retain }: Told): Promise<void> {
    return new Promise((resolve, reject) => {
      const packet = {
        cmd: "publish" as const,
        topic,
        payload: Buffer.from(payload),
        qos: 0 as const,
        retain,
        dup: false,
      };
      this.#aedes.publish(packet, (error) => (error ? reject(error) : resolve()));
    });
  }

  async #stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await new Promise<void>((resolve) => this.#aedes.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

/** @throws what the system says when it cannot listen */
export async function startBroker(input: BrokerInput): Promise<LocalBroker> {
  const aedes = await Aedes.createBroker({
    connectTimeout: INTAKE.helloMs,
    drainTimeout: INTAKE.drainMs,
    keepaliveLimit: INTAKE.keepAliveS,
    queueLimit: INTAKE.queueMax,
    maxClientsIdLength: 300,
    maxTopicLevels: 32,
    concurrency: 100,
  });
  return await new Broker(input, aedes).listen();
}
