import { expect, test } from "bun:test";
import { createServer } from "node:net";
import { decodeSettings } from "@millrace/contract/driver/settings";
import { type SparkplugSettings, sparkplugDeclaration } from "@millrace/contract/sparkplug/settings";
import { systemClock } from "@millrace/contract/std/clock";
import { EdgeRig, type HeardMessage, heard, rebirthRequest } from "../../test/edge-rig.ts";
import { makeCertificates } from "../../test/peers/certificates.ts";
import { freePort, Mosquitto } from "../../test/peers/mosquitto.ts";
import { MosquittoEar, type Overheard } from "../../test/peers/mosquitto-ear.ts";
import { Line } from "../driver/cuttable-line.ts";
import * as library from "../driver/mqtt-wire/open.ts";
import { BrokerSimulator } from "../drivers/mqtt/simulator.ts";
import { SparkplugLink } from "./link.ts";

/** Debian's Mosquitto as broker, its own subscriber as the ear, Eclipse Tahu's code as reader. */

interface LinkedRig extends AsyncDisposable {
  rig: EdgeRig;
  link: SparkplugLink;
  kept: number[];
}

function linked(port: number, over: Partial<SparkplugSettings> = {}): LinkedRig {
  const settings = decodeSettings(sparkplugDeclaration, {
    broker: `mqtt://127.0.0.1:${port}`,
    keepAliveMs: 1_000,
    timeoutMs: 1_000,
    ...over,
  });
  const rig = new EdgeRig({ primaryHost: settings.primaryHost, writes: true });
  const kept: number[] = [];
  const link = new SparkplugLink({
    settings,
    clientId: "edge",
    node: rig.node,
    library,
    clock: systemClock,
    random: () => 0.5,
    keepBdSeq: async (bdSeq) => void kept.push(bdSeq),
    onWrite: () => undefined,
    onRefusal: () => undefined,
  });
  link.start();
  let stopped: Promise<void> | null = null;
  return {
    rig,
    link,
    kept,
    [Symbol.asyncDispose]: () => {
      stopped ??= link.stop();
      return stopped;
    },
  };
}

const read = (ear: readonly Overheard[]): HeardMessage[] =>
  ear.filter(({ topic }) => !topic.includes("/STATE/")).map(({ topic, payload }) => heard(topic, payload));
const ofKind = (ear: readonly Overheard[], kind: string) => read(ear).filter((one) => one.kind === kind);
const bdSeqOf = (message: HeardMessage | undefined) => message?.metrics[0]?.value;
const present = (rig: EdgeRig, tagNo: number, value: number) => {
  rig.wallMs = systemClock.nowMs();
  rig.put(tagNo, value);
};

/** Without a hole from each NBIRTH on. */
function expectSequence(messages: readonly HeardMessage[]): void {
  let next: number | null = null;
  for (const { kind, seq } of messages) {
    if (kind === "NDEATH") {
      next = null;
      continue;
    }
    if (kind === "NBIRTH") next = 0;
    if (next !== null) {
      expect(seq).toBe(next);
      next = (next + 1) % 256;
    }
  }
}

test.concurrent("SP32: 600 messages arrive in sequence with quality of service 0 and not kept, and a rebirth begins it anew", async () => {
  await using broker = await Mosquitto.start();
  await using ear = await MosquittoEar.at(broker);
  await using it = linked(broker.port);
  await ear.until((all) => ofKind(all, "DBIRTH").length === 2);
  // Each turn of its own, so that each change is a message.
  for (let n = 0; n < 610; n++) {
    present(it.rig, 1, n);
    const outputs = it.rig.node.tick({ wallMs: systemClock.nowMs(), monoMs: systemClock.monoMs() }, true);
    it.link.carry(outputs);
    if (n % 50 === 0) await systemClock.sleep(1);
  }
  await ear.until((all) => ofKind(all, "DDATA").length >= 610);
  await broker.publish("spBv1.0/Plant/NCMD/GW 1", rebirthRequest(systemClock.nowMs()));
  await ear.until((all) => ofKind(all, "DBIRTH").length === 4);
  present(it.rig, 1, -1);
  await ear.until((all) => ofKind(all, "DDATA").at(-1)?.metrics.at(-1)?.value === -1);
  it.rig.offline.add(it.rig.devices[1]!.deviceId);
  await ear.until((all) => ofKind(all, "DDEATH").length === 1 && ofKind(all, "NDATA").length === 1);
  const told = ear.heard.filter(({ topic }) => !topic.includes("/NCMD/"));
  const messages = read(told);
  expect(messages.length).toBeGreaterThan(616);
  expectSequence(messages);
  expect(messages.filter(({ seq }) => seq === 255).length).toBeGreaterThanOrEqual(2);
  expect(told.every(({ qos, retained }) => qos === 0 && !retained)).toBe(true);
  const births = ofKind(told, "NBIRTH");
  expect(births.map(bdSeqOf)).toEqual([0, 0]);
  expect(messages[0]?.kind).toBe("NBIRTH");
}, 30_000);

test.concurrent("SP33: at a cut the broker tells the death with the bdSeq of the birth; then comes a birth with the next, and what was missed", async () => {
  await using broker = await Mosquitto.start();
  const line = await Line.to(broker.port);
  await using ear = await MosquittoEar.at(broker);
  await using it = linked(line.port);
  await ear.until((all) => ofKind(all, "DBIRTH").length === 2);
  line.target = await freePort();
  line.cut();
  await ear.until((all) => ofKind(all, "NDEATH").length === 1);
  for (const value of [1, 2, 3]) present(it.rig, 1, value);
  expect(it.rig.node.phase).toBe("away");
  line.target = broker.port;
  await ear.until((all) => ofKind(all, "DDATA").length > 0);
  const [first, second] = ofKind(ear.heard, "NBIRTH");
  const [death] = ofKind(ear.heard, "NDEATH");
  expect([bdSeqOf(first), bdSeqOf(death), bdSeqOf(second)]).toEqual([0, 0, 1]);
  expect(ear.heard.find(({ topic }) => topic.includes("NDEATH"))).toMatchObject({ qos: 1, retained: false });
  const [history] = ofKind(ear.heard, "DDATA");
  expect(history?.metrics).toMatchObject([1, 2, 3].map((value) => ({ value, isHistorical: true })));
  // Tries that found nobody sent no CONNECT, and used no number.
  expect(it.kept).toEqual([0, 1]);
  expectSequence(read(ear.heard));
  await line.close();
}, 30_000);

test.concurrent("SP34: a broker that is killed and comes back, and one that freezes, find the edge node born again", async () => {
  await using broker = await Mosquitto.start();
  await using it = linked(broker.port);
  const births = async (n: number) => {
    for (let tries = 0; it.rig.node.births < n || it.rig.node.phase !== "born"; tries++) {
      if (tries > 2_000) throw new Error(`only ${it.rig.node.births} births`);
      await systemClock.sleep(10);
    }
  };
  await births(1);
  await broker.kill();
  while (it.rig.node.phase !== "away") await systemClock.sleep(5);
  await broker.up();
  await births(2);
  broker.signal("SIGSTOP");
  // It goes on talking: what goes out must not stand in for what comes back.
  const isBorn = () => it.rig.node.phase === "born";
  for (let n = 0; isBorn(); n++) {
    present(it.rig, 1, n);
    if (n > 1_000) throw new Error("a frozen broker was not noticed");
    await systemClock.sleep(20);
  }
  broker.signal("SIGCONT");
  await births(3);
  expect(it.kept).toEqual([...it.kept].sort((a, b) => a - b));
}, 30_000);

test.concurrent("SP35: the host's STATE at the broker lets it be born, ends the session, and lets it be born again", async () => {
  await using broker = await Mosquitto.start();
  await using ear = await MosquittoEar.at(broker);
  const state = (online: boolean, timestamp: number) =>
    broker.publish("spBv1.0/STATE/scada", JSON.stringify({ online, timestamp }), ["-r", "-q", "1"]);
  await state(false, 1_000);
  await using it = linked(broker.port, { primaryHost: "scada" });
  while (it.rig.node.phase !== "waiting") await systemClock.sleep(5);
  present(it.rig, 1, 1);
  await state(true, 2_000);
  await ear.until((all) => ofKind(all, "DDATA").length === 1);
  await state(false, 2_000);
  await ear.until((all) => ofKind(all, "NDEATH").length >= 1);
  while (it.rig.node.phase !== "waiting") await systemClock.sleep(5);
  present(it.rig, 1, 2);
  const before = ofKind(ear.heard, "NBIRTH").length;
  await state(true, 3_000);
  await ear.until((all) => ofKind(all, "DDATA").length > 1);
  expect(before).toBe(1);
  const births = ofKind(ear.heard, "NBIRTH");
  expect(births.map(bdSeqOf)).toEqual([0, 1]);
  expect(ofKind(ear.heard, "DDATA").at(-1)?.metrics.at(-1)).toMatchObject({ value: 2, isHistorical: true });
}, 30_000);

test.concurrent("SP36: an end on purpose tells the death before the goodbye; in MQTT 5 the goodbye asks for the will too", async () => {
  await using broker = await Mosquitto.start();
  for (const [version, deaths] of [
    ["3.1.1", 1],
    ["5", 2],
  ] as const) {
    await using ear = await MosquittoEar.at(broker, "spBv1.0/+/NDEATH/#");
    {
      await using it = linked(broker.port, { version });
      while (it.rig.node.phase !== "born") await systemClock.sleep(5);
    }
    await ear.until((all) => all.length >= deaths);
    await systemClock.sleep(100);
    expect(read(ear.heard).map(bdSeqOf)).toEqual(new Array<number>(deaths).fill(0));
  }
}, 30_000);

test.concurrent("SP37: CONNECT asks for a clean session that ends with the link, and has the will with quality of service 1, not kept", async () => {
  const connects: Buffer[] = [];
  const server = createServer((socket) => {
    socket.once("data", (bytes) => {
      connects.push(bytes);
      socket.destroy();
    });
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  for (const version of ["3.1.1", "5"] as const) {
    await using it = linked(port, { version });
    while (connects.length === 0) await systemClock.sleep(5);
    expect(it.rig.node.phase).toBe("away");
    const packet = connects[0]!;
    const at = packet.indexOf("MQTT") + 4;
    const [level, flags] = [packet[at], packet[at + 1]!];
    expect(level).toBe(version === "5" ? 5 : 4);
    // Clean start, will, its quality of service, its retain (MQTT 3.1.1 and 5.0, 3.1.2.3).
    expect([flags & 0x02, flags & 0x04, (flags & 0x18) >> 3, flags & 0x20]).toEqual([0x02, 0x04, 1, 0]);
    if (version === "5") {
      const properties = packet.subarray(at + 5, at + 5 + packet[at + 4]!);
      expect(properties.includes(Buffer.of(0x11, 0, 0, 0, 0))).toBe(true);
    }
    expect(packet.includes("spBv1.0/Plant/NDEATH/GW 1")).toBe(true);
    connects.length = 0;
  }
  await new Promise<void>((resolve) => server.close(() => resolve()));
}, 30_000);

test.concurrent("SP38: commands and STATE are subscribed with quality of service 1; a broker that denies one is told as that, and nothing is published there", async () => {
  const broker = await BrokerSimulator.start();
  broker.refused.add("spBv1.0/Plant/NCMD/GW 1");
  const subscribed = new Map<string, number>();
  broker.aedes.on("subscribe", (all) => {
    for (const { topic, qos } of all) subscribed.set(topic, qos);
  });
  // It speaks 3.1.1 alone, which is found out.
  const it = linked(broker.port, { primaryHost: "scada" });
  while (it.link.problem === null) await systemClock.sleep(5);
  expect(it.link.problem.code).toBe("link.denied");
  expect(it.link.problem.message).toContain("spBv1.0/Plant/NCMD/GW 1");
  expect(it.rig.node.births).toBe(0);
  // Each CONNECT has its own number, the refused one of MQTT 5 too.
  expect(it.kept.length).toBeGreaterThanOrEqual(2);
  broker.refused.clear();
  while (it.rig.node.phase !== "waiting") await systemClock.sleep(5);
  expect(it.link.problem).toBeNull();
  expect(Object.fromEntries(subscribed)).toEqual({
    "spBv1.0/STATE/scada": 1,
    "spBv1.0/Plant/NCMD/GW 1": 1,
    "spBv1.0/Plant/DCMD/GW 1/+": 1,
  });
  await it[Symbol.asyncDispose]();
  await broker.close();
}, 30_000);

test.concurrent("over TLS with a client certificate it is born; a broker nobody we trust signed for hears no CONNECT", async () => {
  const [own, other] = await Promise.all([makeCertificates(), makeCertificates()]);
  await using broker = await Mosquitto.start({
    config: [
      "allow_anonymous true",
      "cafile %d/ca.crt",
      "certfile %d/server.crt",
      "keyfile %d/server.key",
      "require_certificate true",
    ],
    files: { "ca.crt": own.ca, "server.crt": own.server.cert, "server.key": own.server.key },
  });
  const url = `mqtts://127.0.0.1:${broker.port}`;
  const known = { broker: url, clientCertificate: own.client.cert, clientKey: own.client.key };
  await using it = linked(broker.port, { ...known, ca: own.ca });
  while (it.rig.node.births === 0) await systemClock.sleep(5);
  await using stranger = linked(broker.port, { ...known, ca: other.ca });
  while (stranger.link.problem === null) await systemClock.sleep(5);
  expect(stranger.link.problem.code).toBe("link.untrusted");
  expect(stranger.kept).toEqual([]);
}, 30_000);
