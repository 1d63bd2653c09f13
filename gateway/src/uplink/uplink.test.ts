import { afterEach, expect, test } from "bun:test";
import { systemClock } from "@millrace/contract/std/clock";
import { decodeGap } from "@millrace/contract/wire/gap";
import type { Manifest } from "@millrace/contract/wire/manifest";
import { FakeHub, GATEWAY_ID, HUB_ID, say } from "../../test/fake-hub.ts";
import { pushFrames, type Rig, until, uplinkRig } from "../../test/uplink-rig.ts";
import type { LinkSettings } from "./state.ts";
import type { UplinkInput } from "./uplink.ts";

const open: Rig[] = [];
afterEach(async () => {
  for (const rig of open.splice(0)) await rig[Symbol.asyncDispose]();
});

async function rig(
  settings: Partial<LinkSettings> = {},
  over: Partial<Pick<UplinkInput, "status">> = {},
): Promise<Rig> {
  const made = await uplinkRig({ settings, ...over });
  open.push(made);
  return made;
}

const firsts = (hub: FakeHub): number[] => hub.frames.map((frame) => frame.header.first);
const upTo = (last: number): number[] => Array.from({ length: last }, (_, i) => i + 1);

test("frames pile up while there is no session, then all arrive once and in order", async () => {
  const r = await rig();
  await pushFrames(r, 30);
  expect((await r.outbox.stats()).framesUnsent).toBe(30);
  r.uplink.start();
  await until("30 frames", () => r.hub.hwm === 30);
  await pushFrames(r, 5, 30);
  await until("35 frames", () => r.hub.hwm === 35);
  expect(firsts(r.hub)).toEqual(upTo(35));
  expect(r.hub.signatureHeld).toBe(1);
  expect(r.uplink.link()).toMatchObject({ linkState: "up", code: "" });
  await until("status", () => r.hub.texts.some((text) => text.type === "status"));
});

test("a cut link resends from the hub's mark, the same bytes", async () => {
  const r = await rig();
  let cuts = 0;
  const seen = new Map<number, string>();
  r.hub.script.envelope = (peer, frames) => {
    for (const { header, crc32c } of frames) {
      expect(seen.get(header.first) ?? `${crc32c}`).toBe(`${crc32c}`);
      seen.set(header.first, `${crc32c}`);
    }
    // Applied, but the ack is lost with the connection.
    if (++cuts <= 3) {
      r.hub.apply({ send: () => undefined, close: () => undefined }, frames.slice(0, 1));
      peer.close(1011);
    } else r.hub.apply(peer, frames);
  };
  await pushFrames(r, 20);
  r.uplink.start();
  await until("20 frames", () => r.hub.hwm === 20);
  expect(firsts(r.hub)).toEqual(upTo(20));
  expect(cuts).toBeGreaterThan(3);
});

test("a lost envelope and a busy hub make us go back to the expected number", async () => {
  const r = await rig();
  let count = 0;
  r.hub.script.envelope = (peer, frames) => {
    count++;
    if (count === 2 || count === 5) return r.hub.nack(peer, frames[0]!.header.first, "uplink.busy");
    if (count === 3 || count === 8) return;
    r.hub.apply(peer, frames);
  };
  r.uplink.start();
  await until("up", () => r.uplink.link().linkState === "up");
  // How many frames share an envelope depends on the moment, so we push until every trouble has happened.
  let pushed = 0;
  while (count <= 8 && pushed < 1_000) await pushFrames(r, 1, pushed++);
  expect(count).toBeGreaterThan(8);
  await until("all frames", () => r.hub.hwm === pushed);
  expect(firsts(r.hub)).toEqual(upTo(pushed));
  expect(r.hub.peers).toHaveLength(1);
});

test("a hub that misses the very frame it refuses is left", async () => {
  const r = await rig();
  r.hub.script.envelope = (peer, frames) => r.hub.nack(peer, frames[0]!.header.first, "frame.gap");
  await pushFrames(r, 1);
  r.uplink.start();
  await until("protocol error", () => r.uplink.link().code === "uplink.protocol");
});

test("a frame refused as garbled three times becomes a gap and the next ones go on", async () => {
  const r = await rig();
  let refusals = 0;
  r.hub.script.envelope = (peer, frames) => {
    const bad = frames.find((frame) => frame.header.first === 2 && frame.header.kind === "data");
    if (!bad) return r.hub.apply(peer, frames);
    refusals++;
    r.hub.nack(peer, 2, "frame.garbled");
  };
  await pushFrames(r, 4);
  r.hub.hwm = 1;
  r.uplink.start();
  await until("4 frames", () => r.hub.hwm === 4);
  expect(refusals).toBe(3);
  expect(r.hub.frames.map((frame) => frame.header.kind)).toEqual(["gap", "data", "data"]);
  expect(decodeGap(r.hub.frames[0]!.body)).toMatchObject({ cause: "quarantine", samples: 1 });
});

test("lost acks stop the stream at the credit, nothing is sent twice", async () => {
  const r = await rig();
  r.hub.creditBytes = 1_000;
  r.hub.script.envelope = () => undefined;
  await pushFrames(r, 40);
  r.uplink.start();
  await until("first envelope", () => r.hub.envelopes > 0);
  const sent = r.hub.envelopes;
  await systemClock.sleep(200);
  expect(r.hub.envelopes).toBeLessThanOrEqual(sent + 40);
  const later = r.hub.envelopes;
  await systemClock.sleep(200);
  expect(r.hub.envelopes).toBe(later);
});

test("a silent hub is noticed and left", async () => {
  const r = await rig({ silenceMs: 100 });
  r.uplink.start();
  await until("two connections", () => r.hub.peers.length >= 2);
});

for (const [name, text] of [
  ["text that is not JSON", "<html>captive portal</html>"],
  ["an unknown type", '{"type":"__proto__"}'],
  [
    "a nonce of the wrong length",
    `{"type":"challenge","nonce":"AA","hubId":"${HUB_ID}","hubTimeMs":1,"protocols":[1]}`,
  ],
  ["an ack before the welcome", '{"type":"ack","lane":"H","seg":1,"hwm":9,"creditBytes":1}'],
] as const) {
  test(`${name} ends the connection with a coded reason, and the next attempt works`, async () => {
    const r = await rig();
    let bad = 0;
    r.hub.script.challenge = (peer) => {
      bad++;
      peer.send(text);
      r.hub.script.challenge = undefined;
    };
    const codes: string[] = [];
    r.uplink.onChange((link) => codes.push(link.code));
    await pushFrames(r, 1);
    r.uplink.start();
    await until("recovered", () => r.hub.hwm === 1);
    expect(bad).toBe(1);
    expect(codes).toContain("uplink.protocol");
  });
}

test("a refusal waits for minutes and says why; a hub with numbers we never gave is a conflict", async () => {
  const refused = await rig();
  refused.hub.script.hello = (peer) =>
    say(peer, { type: "bye", code: "uplink.refused", message: "not taken", retryAfterMs: 0 });
  refused.uplink.start();
  await until("refused", () => refused.uplink.link().code === "uplink.refused");
  expect(refused.uplink.link().nextTryMs! - systemClock.nowMs()).toBeGreaterThan(50_000);
  const conflict = await rig();
  conflict.hub.hwm = 5;
  conflict.uplink.start();
  await until("conflict", () => conflict.uplink.link().code === "uplink.sequenceConflict");
});

test("an acknowledgement of what was never sent ends the session", async () => {
  const r = await rig();
  r.hub.script.hello = (peer, body) => {
    r.hub.welcome(peer, body);
    r.hub.ack(peer, 99);
  };
  r.uplink.start();
  await until("protocol error", () => r.uplink.link().code === "uplink.protocol");
});

test("a manifest is applied once and answered; one of another hub or an older one is refused with a reason", async () => {
  const r = await rig();
  const stranger = new FakeHub(r.hub.publicKey);
  const manifest = (rev: number): Manifest => ({
    version: 1,
    hubId: HUB_ID,
    gatewayId: GATEWAY_ID,
    gatewayName: "g",
    rev,
    devices: [],
  });
  r.uplink.start();
  await until("up", () => r.uplink.link().linkState === "up");
  const offer = (signed: unknown) => say(r.hub.peers[0]!, { type: "manifest", signed });
  offer(r.hub.sign(manifest(2)));
  offer(r.hub.sign(manifest(2)));
  offer(stranger.sign(manifest(3)));
  offer(r.hub.sign(manifest(1)));
  const answers = () => r.hub.texts.filter((text) => text.type.startsWith("manifest"));
  await until("four answers", () => answers().length === 4);
  expect(answers()).toMatchObject([
    { type: "manifestApplied", rev: 2 },
    { type: "manifestApplied", rev: 2 },
    { type: "manifestRefused", rev: 3, code: "manifest.signature" },
    { type: "manifestRefused", rev: 1, code: "manifest.stale" },
  ]);
  expect(r.applied).toHaveLength(1);
  await stranger.stop();
});

test("a status that cannot be made does not end the session", async () => {
  let asked = 0;
  const status = async () => {
    asked++;
    throw new Error("no figures");
  };
  const r = await rig({}, { status });
  r.uplink.start();
  await until("asked", () => asked > 0);
  await pushFrames(r, 3);
  await until("3 frames", () => r.hub.hwm === 3);
  expect(r.hub.peers).toHaveLength(1);
});
