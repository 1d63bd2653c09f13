import { expect, setDefaultTimeout, test } from "bun:test";
import { connect } from "node:net";
import { IntakeRig, mosquittoSub, pushDevice } from "../../test/intake-rig.ts";
import { until } from "../driver/conformance.ts";

setDefaultTimeout(20_000);

const READER = "r".repeat(43);
const text = (words: string) => {
  const bytes = Buffer.from(words);
  return [bytes.length >> 8, bytes.length & 0xff, ...bytes];
};
const hello = (name: string) => [
  ...text("MQTT"),
  4,
  0xc2,
  0,
  60,
  ...text(name),
  ...text("reader"),
  ...text(READER),
];
const packet = (kind: number, body: number[]) => Buffer.from([kind, body.length, ...body]);

test("who does not take what it is told holds up nobody, and has the newest of each topic when it does", async () => {
  await using rig = await IntakeRig.start();
  const reader = pushDevice(3, "reader", READER, []);
  await rig.run([{ ...reader, settings: { ...reader.settings, listensTo: "#" } }]);
  const slow = connect(rig.mqttPort, "127.0.0.1");
  slow.write(packet(0x10, hello("slow")));
  slow.write(packet(0x82, [0, 1, ...text("v1/#"), 0]));
  let heard = "";
  const take = (bytes: Buffer) => {
    heard += bytes.toString("latin1");
  };
  slow.on("data", take);
  await until(() => heard.includes("\x90\x03\x00\x01\x00"));
  slow.pause();
  const other = mosquittoSub(rig.mqttPort, "v1/t0", ["-u", "reader", "-P", READER]);
  await until(() => other.said().includes("Subscribed"));
  // Far more than the sockets between hold.
  const [rounds, topics, padding] = [300, 20, "x".repeat(4_000)];
  const broker = rig.intake.broker!;
  for (let round = 1; round <= rounds; round++)
    await Promise.all(
      Array.from({ length: topics }, (_, at) =>
        broker.publish({
          topic: `v1/t${at}`,
          payload: Buffer.from(`${padding} round ${round}.`),
          retain: false,
        }),
      ),
    );
  await until(() => other.said().includes(` round ${rounds}.`));
  await other.stop();
  slow.resume();
  const newest = () => heard.split(` round ${rounds}.`).length - 1;
  await until(() => newest() === topics);
  expect(heard.length).toBeLessThan(rounds * topics * padding.length);
  slow.destroy();
});
