import { expect, setDefaultTimeout, test } from "bun:test";
import { connect } from "node:net";
import { systemClock } from "@millrace/contract/std/clock";
import {
  BY_LINE,
  IntakeRig,
  mosquittoPub,
  mosquittoSub,
  pushDevice,
  TOKEN_A,
  TOKEN_B,
} from "../../test/intake-rig.ts";
import { makeCertificates } from "../../test/peers/certificates.ts";
import { until } from "../driver/conformance.ts";
import { maySubscribe, sendsTo } from "./acl.ts";
import { INTAKE } from "./limits.ts";

// The devices are Mosquitto's own clients.
setDefaultTimeout(20_000);

const as = (login: string, token: string) => ["-u", login, "-P", token];
const PRESS = as("press", TOKEN_A);
const OVEN = as("oven", TOKEN_B);

test("a device's values reach its tags, and only those of its own topics", async () => {
  await using rig = await IntakeRig.start();
  expect(await mosquittoPub(rig.mqttPort, "devices/press/temp", "21.5", PRESS)).toMatchObject({ code: 0 });
  expect(
    await mosquittoPub(rig.mqttPort, "devices/press/state", '{"v":7}', [...PRESS, "-q", "1"]),
  ).toMatchObject({ code: 0 });
  expect(await mosquittoPub(rig.mqttPort, "devices/oven/temp", "200", OVEN)).toMatchObject({ code: 0 });
  await until(() => rig.values.length === 3);
  expect(rig.values).toEqual(["10 = 21.5", "11 = 7", "20 = 200"]);
  expect(rig.fleet.statuses().map(({ linkState }) => linkState)).toEqual(["up", "up"]);
});

test("S43: without a password, with a wrong one and with another device's nobody gets in", async () => {
  await using rig = await IntakeRig.start();
  for (const sign of [[], ["-u", "press"], as("press", TOKEN_B), as("nobody", TOKEN_A), as("press", "")]) {
    const { code, said } = await mosquittoPub(rig.mqttPort, "devices/press/temp", "99", sign);
    expect(code).not.toBe(0);
    // CONNACK 5, for all of them alike.
    expect(said).toContain("not authorised");
  }
  expect(rig.values).toEqual([]);
});

test("S43: a topic of another device, of nobody and of the broker itself is refused, nothing is delivered", async () => {
  await using rig = await IntakeRig.start();
  const listener = mosquittoSub(rig.mqttPort, "devices/oven/#", OVEN);
  await until(() => listener.said().includes("Subscribed"));
  for (const topic of [
    "devices/oven/temp",
    "devices/press",
    "devices",
    "plant/x",
    "$SYS/broker",
    "devices/pressure/temp",
  ]) {
    const { code } = await mosquittoPub(rig.mqttPort, topic, "99", [...PRESS, "-q", "1"]);
    expect([topic, code === 0]).toEqual([topic, false]);
  }
  expect(await listener.stop()).not.toContain("99");
  expect(rig.values).toEqual([]);
});

test("S43: #, $SYS and topics of others cannot be listened to, nothing is delivered", async () => {
  await using rig = await IntakeRig.start();
  const filters = [
    "#",
    "+/#",
    "$SYS/#",
    "devices/#",
    "devices/+/temp",
    "devices/oven/temp",
    "$share/g/devices/#",
  ];
  for (const filter of filters) {
    const listener = mosquittoSub(rig.mqttPort, filter, PRESS);
    // 128 is the failure of a SUBACK.
    await until(() => /128|denied/.test(listener.said()));
    const before = rig.values.length;
    await mosquittoPub(rig.mqttPort, "devices/oven/temp", `20${before}`, OVEN);
    await rig.intake.broker!.publish({
      topic: "plant/line/state",
      payload: Buffer.from("777"),
      retain: true,
    });
    await until(() => rig.values.length > before);
    expect(await listener.stop()).not.toMatch(/\b(20\d|777)\b/);
  }
});

test("S43: a retained command is refused, and no message of a device is kept for whoever comes later", async () => {
  await using rig = await IntakeRig.start();
  const command = await mosquittoPub(rig.mqttPort, "devices/press/cmd/start", "1", [
    ...PRESS,
    "-r",
    "-q",
    "1",
  ]);
  expect(command.code).not.toBe(0);
  await mosquittoPub(rig.mqttPort, "devices/press/temp", "21", [...PRESS, "-r", "-q", "1"]);
  await until(() => rig.values.length === 1);
  const late = mosquittoSub(rig.mqttPort, "devices/press/#", PRESS);
  await until(() => late.said().includes("Subscribed"));
  await systemClock.sleep(150);
  expect(await late.stop()).not.toMatch(/devices\/press\/(cmd|temp) /);
});

test("S43: a will at a topic of others is refused at the hello; its own is delivered when it dies", async () => {
  await using rig = await IntakeRig.start();
  const will = (topic: string) => ["--will-topic", topic, "--will-payload", "66"];
  const foreign = mosquittoSub(rig.mqttPort, "devices/press/x", [...PRESS, ...will("devices/oven/temp")]);
  await until(() => foreign.said().includes("not authorised"));
  await foreign.stop();
  const own = Bun.spawn(
    [
      ...BY_LINE,
      "mosquitto_sub",
      "-h",
      "127.0.0.1",
      "-p",
      String(rig.mqttPort),
      "-t",
      "devices/press/x",
      ...PRESS,
      ...will("devices/press/temp"),
      "-d",
    ],
    { stdout: "pipe", stderr: "ignore" },
  );
  for await (const part of own.stdout) if (Buffer.from(part).toString().includes("Subscribed")) break;
  own.kill("SIGKILL");
  await until(() => rig.values.length > 0);
  expect(rig.values).toEqual(["10 = 66"]);
});

test("what a device may do is decided from its login and the topic alone", () => {
  expect(sendsTo("press", "devices/press/a/b")).toBe("a/b");
  for (const topic of [
    "devices/press/",
    "devices/press/cmd",
    "devices/press/cmd/x",
    "devices/press/+",
    "devices/press2/a",
    "Devices/press/a",
    "devices/press/a\u0000",
  ])
    expect([topic, sendsTo("press", topic)]).toEqual([topic, null]);
  expect(maySubscribe("press", "devices/press/cmd/#")).toBe(true);
  for (const filter of [
    "devices/press",
    "devices/press#",
    "devices/+/a",
    "#",
    "devices/press2/#",
    `devices/press/${"x".repeat(300)}`,
  ])
    expect([filter, maySubscribe("press", filter)]).toEqual([filter, false]);
});

test("a token that was changed ends the connections made with it", async () => {
  await using rig = await IntakeRig.start();
  const listener = mosquittoSub(rig.mqttPort, "devices/press/#", PRESS);
  await until(() => listener.said().includes("Subscribed"));
  const changed = pushDevice(1, "press", "c".repeat(43), ["temp"]);
  await rig.fleet.apply({ rev: 2, devices: [changed] });
  await until(
    () =>
      /reconnect|disconnect|sending CONNECT[\s\S]*sending CONNECT/i.test(listener.said()) ||
      listener.said().includes("not authorised"),
  );
  await listener.stop();
  expect((await mosquittoPub(rig.mqttPort, "devices/press/temp", "1", PRESS)).code).not.toBe(0);
  expect(
    (await mosquittoPub(rig.mqttPort, "devices/press/temp", "2", as("press", "c".repeat(43)))).code,
  ).toBe(0);
});

test("too large, too many connections, and bytes that are no MQTT: ended, and the others go on", async () => {
  await using rig = await IntakeRig.start();
  const large = await mosquittoPub(rig.mqttPort, "devices/press/temp", "1", [...PRESS, "-i", "x"]);
  expect(large.code).toBe(0);
  const big = Bun.spawn(
    [
      "mosquitto_pub",
      "-h",
      "127.0.0.1",
      "-p",
      String(rig.mqttPort),
      "-t",
      "devices/press/temp",
      "-s",
      "-q",
      "1",
      ...PRESS,
    ],
    { stdin: Buffer.alloc(INTAKE.bytesMax + 10_000, 0x31), stdout: "ignore", stderr: "ignore" },
  );
  expect(await Promise.race([big.exited, systemClock.sleep(3_000).then(() => -1)])).not.toBe(0);
  big.kill();
  const listeners = Array.from({ length: INTAKE.clientsPerLogin + 1 }, () =>
    mosquittoSub(rig.mqttPort, "devices/oven/#", OVEN),
  );
  await until(
    () => listeners.filter(({ said }) => said().includes("Subscribed")).length === INTAKE.clientsPerLogin,
  );
  await until(() => listeners.some(({ said }) => said().includes("not authorised")));
  for (const listener of listeners) await listener.stop();
  await new Promise<void>((resolve) => {
    const socket = connect(rig.mqttPort, "127.0.0.1", () => socket.write("GET / HTTP/1.1\r\n\r\n"));
    socket.on("close", () => resolve()).on("error", () => undefined);
  });
  await mosquittoPub(rig.mqttPort, "devices/press/temp", "5", PRESS);
  await until(() => rig.values.includes("10 = 5"));
});

test("many wrong tokens from one place are refused without a look, for a while", async () => {
  await using rig = await IntakeRig.start();
  for (let at = 0; at < INTAKE.wrongBurst; at++)
    expect(rig.intake.desk.admits("press", "wrong", "somewhere")).toBe(false);
  expect(rig.intake.desk.admits("press", TOKEN_A, "somewhere")).toBe(false);
  expect(rig.intake.desk.admits("press", TOKEN_A, "elsewhere")).toBe(true);
});

test("with a certificate the broker speaks TLS; without one it does not open unless somebody says so", async () => {
  const { ca, server } = await makeCertificates();
  const { mkdtemp, writeFile, rm } = await import("node:fs/promises");
  const folder = await mkdtemp("/tmp/millrace-intake-tls-");
  for (const [name, text] of Object.entries({ ca, cert: server.cert, key: server.key }))
    await writeFile(`${folder}/${name}`, text);
  await using rig = await IntakeRig.start({
    intakeTlsCertFile: `${folder}/cert`,
    intakeTlsKeyFile: `${folder}/key`,
    intakeAllowPlain: false,
  });
  expect(
    (await mosquittoPub(rig.mqttPort, "devices/press/temp", "3", [...PRESS, "--cafile", `${folder}/ca`]))
      .code,
  ).toBe(0);
  await until(() => rig.values.length === 1);
  expect(IntakeRig.start({ intakeAllowPlain: false })).rejects.toThrow("in the clear");
  await rm(folder, { recursive: true });
});
