import type { RawSamples } from "@millrace/contract/api/history";
import type { Device, Profile, Tag } from "@millrace/contract/api/plant";
import type { QuarantinedFrame, QuarantineRetry } from "@millrace/contract/api/quarantine";
import { noCompression } from "@millrace/contract/block/compression";
import { encodeBlock } from "@millrace/contract/block/encode";
import type { Series } from "@millrace/contract/block/series";
import { sealFrame } from "@millrace/contract/wire/frame";
import { forge } from "../forge.ts";
import { type Rig, until } from "../rig.ts";
import type { FaultRow } from "../row.ts";
import { enrolSim, headerOf, SimGateway } from "../sim-gateway.ts";

const NEXT_MS_MAX = 1_000;
const GOOD = 9;
/** Of the frame that is held back and tried again. */
const RETRIED = 0.5;
/** The furthest a time reaches in a block: a date of the year 275760, and one as long before. */
const TIME_MS_MAX = 8.64e15;

interface Tags {
  number: number;
  text: number;
  /** Of the rig's own gateway. */
  foreign: number;
}

/** One sample that somebody could stumble over, as far as a block can hold it. */
const POISON: Record<string, (tags: Tags, nowMs: number) => Series> = {
  "a time of the year 275760": ({ number }) => doubles(number, [TIME_MS_MAX], [-1]),
  "a time before all history": ({ number }) => doubles(number, [-TIME_MS_MAX], [-1]),
  "not a number, called good": ({ number }, nowMs) => doubles(number, [nowMs - 1], [Number.NaN]),
  "the largest whole number": ({ number }, nowMs) => ({
    ...columns(number, [nowMs - 1]),
    kind: "uint64",
    values: BigUint64Array.of(2n ** 64n - 1n),
  }),
  "a text PostgreSQL cannot hold": ({ text }, nowMs) => ({
    ...columns(text, [nowMs - 1]),
    kind: "text",
    values: ["\0 and \u{10FFFF} and '; DROP TABLE journal"],
  }),
  "a tag of another gateway": ({ foreign }, nowMs) => doubles(foreign, [nowMs - 1], [-1]),
  "a tag nobody has": (_, nowMs) => doubles(4_000_000_000, [nowMs - 1], [-1]),
};

const columns = (tagNo: number, timesMs: readonly number[]) => ({
  tagNo,
  timesMs: Float64Array.from(timesMs),
  quality: new Uint8Array(timesMs.length),
  nulls: null,
  receivedMs: null,
});

const doubles = (tagNo: number, timesMs: readonly number[], values: readonly number[]): Series => ({
  ...columns(tagNo, timesMs),
  kind: "double",
  values: Float64Array.from(values),
});

/** Joins series of one tag and kind: a block takes each once. */
function blockOf(good: Series, poison: Series): { body: Uint8Array; samples: number } {
  const isSame = good.tagNo === poison.tagNo && good.kind === "double" && poison.kind === "double";
  const series = isSame
    ? [doubles(good.tagNo, [...good.timesMs, ...poison.timesMs], [...good.values, ...poison.values])]
    : [good, poison].sort((a, b) => a.tagNo - b.tagNo);
  return { body: encodeBlock(series, noCompression), samples: GOOD + 1 };
}

async function withTags(rig: Rig) {
  const { api } = rig.stack;
  const { siteId } = await rig.gateway();
  const name = `Poison ${Date.now()}`;
  const identity = await enrolSim(api, name, siteId);
  const tags = [
    { name: "Number", address: "holding:0", dataType: "float64" },
    { name: "Text", address: "holding:8 length=8", dataType: "text" },
  ];
  const profile = await api.post<Profile>("/profiles", { name, driver: "modbus", settings: {}, tags });
  const { gatewayId } = identity;
  const settings = { host: "127.0.0.1", port: rig.ledgerPort, unit: 1 };
  const device = await api.post<Device>("/devices", {
    name,
    profileId: profile.id,
    gatewayId,
    siteId,
    settings,
  });
  const made = await api.all<Tag>(`/tags?deviceId=${device.id}`);
  const numberOf = (wanted: string) => made.find((tag) => tag.name === wanted)!.tagNo;
  const known: Tags = { number: numberOf("Number"), text: numberOf("Text"), foreign: rig.tag.tagNo };
  return { gateway: new SimGateway(rig.stack.hubUrl, identity), tags: known };
}

/** Values of the tag that are served, as they were sent. */
async function served(rig: Rig, tagNo: number, fromMs: number): Promise<unknown[]> {
  const [from, to] = [fromMs, Date.now() + 60_000].map((ms) => new Date(ms).toISOString());
  const page = await rig.stack.api.get<RawSamples>(`/samples?tag=${tagNo}&from=${from}&to=${to}&limit=20000`);
  return page.series.flatMap(({ values }) => values);
}

/** Good values that are not served once. */
const missingOf = (sent: number, values: readonly unknown[]): number =>
  Array.from({ length: sent }, (_, i) => i + 1).filter(
    (value) => values.filter((each) => each === value).length !== 1,
  ).length;

/** Everything that shows values still answers for this tag. */
async function looks(rig: Rig, tags: Tags): Promise<string[]> {
  const day = new Date().toISOString().slice(0, 10);
  const paths = [
    `/latest?tags=${tags.number},${tags.text}`,
    `/completeness?tag=${tags.number}&from=${day}&to=${day}`,
    `/samples?tag=${tags.text}&from=${new Date(0).toISOString()}&to=${new Date(Date.now() + 1_000).toISOString()}`,
    "/gaps",
  ];
  const failed: string[] = [];
  for (const path of paths)
    await rig.stack.api.get(path).catch((thrown: Error) => failed.push(thrown.message));
  return failed;
}

/** A frame of nine good samples and each poison in turn; returns how many good samples were not served. */
async function poisonSamples(rig: Rig, gateway: SimGateway, tags: Tags) {
  const fromMs = Date.now() - 1_000;
  const { epoch } = gateway.identity;
  let sent = 0;
  for (const [, poison] of Object.entries(POISON)) {
    const nowMs = Date.now();
    const times = Array.from({ length: GOOD }, (_, i) => nowMs - GOOD * 10 + i * 10);
    const good = doubles(
      tags.number,
      times,
      times.map(() => ++sent),
    );
    const { body, samples } = blockOf(good, poison(tags, nowMs));
    const seq = gateway.hwm + 1;
    gateway.sendFrame(seq, sealFrame(headerOf(seq, epoch, samples, nowMs), body));
    await until(5_000, "the frame is acknowledged", () => gateway.hwm >= seq, 5);
    await Bun.sleep(120);
  }
  const before = await served(rig, tags.number, fromMs);
  const failed = await looks(rig, tags);
  await rig.stack.hub.stop();
  await rig.stack.startHub();
  const after = await served(rig, tags.number, fromMs);
  failed.push(...(await looks(rig, tags)));
  return { sent, missing: missingOf(sent, before) + missingOf(sent, after), failed };
}

/** As an older hub left it: a sound frame that it did not understand. */
const holdFrame = (rig: Rig, gatewayId: string, first: number) => rig.sql`
  WITH held AS (
    INSERT INTO ingest_quarantine (gateway_no, epoch, lane, seg, first, last, code, reason, received_at, body)
    SELECT j.gateway_no, j.epoch, j.lane, j.seg, j.first, j.last, 'block.version', 'too new', j.received_at, j.body
    FROM journal j JOIN gateway g USING (gateway_no) WHERE g.id = ${gatewayId}::uuid AND j.first = ${first}
    RETURNING gateway_no, epoch, lane, seg, first)
  UPDATE journal j SET kind = 'quarantined', body = '' FROM held h
  WHERE (j.gateway_no, j.epoch, j.lane, j.seg, j.first) = (h.gateway_no, h.epoch, h.lane, h.seg, h.first)`;

/** F41 */
export const poison: FaultRow = {
  row: "F41",
  injected: `a frame with a good checksum and a body that is no block, then sound ones; then frames of ${GOOD} good samples and one of: ${Object.keys(POISON).join("; ")}`,
  criterion:
    "the next frame is applied within 1 s; the poison is listed and kept byte for byte; each good sample beside a poison one is served, also after a restart; a retry brings a frame that can be read now, and leaves one that cannot",
  lane: "work",
  async run(context) {
    const rig = await context.rig();
    const { gateway, tags } = await withTags(rig);
    const { api } = rig.stack;
    await gateway.connect();
    const { epoch, gatewayId } = gateway.identity;
    const nowMs = Date.now();
    const frame = (seq: number, value: number) =>
      sealFrame(
        headerOf(seq, epoch, 1, nowMs),
        encodeBlock([doubles(tags.number, [nowMs + seq], [value])], noCompression),
      );
    const bad = forge(frame(1, 1), { body: crypto.getRandomValues(new Uint8Array(500)) });
    gateway.raw(bad);
    gateway.raw(frame(2, RETRIED));
    const nextMs = await until(10_000, "the next frame is acknowledged", () => gateway.hwm >= 2, 5);
    const { sent, missing, failed } = await poisonSamples(rig, gateway, tags);
    gateway.close();
    const list = () =>
      api.get<{ items: QuarantinedFrame[] }>(`/quarantine?gateway=${gatewayId}`).then(({ items }) => items);
    await holdFrame(rig, gatewayId, 2);
    const kept = await list();
    const retried: string[] = [];
    for (const { id } of kept)
      await api.post<QuarantineRetry>(`/quarantine/${id}/retry`, {}).then(
        ({ kind, samples }) => retried.push(`${kind} ${samples}`),
        () => retried.push("refused"),
      );
    const left = await list();
    const isBack = (await served(rig, tags.number, nowMs)).includes(RETRIED);
    const [only] = left;
    return {
      measured: `next frame acknowledged after ${nextMs.toFixed(0)} ms; ${missing} of ${sent} good samples missing beside ${Object.keys(POISON).length} poison ones${failed.length > 0 ? `, failed: ${failed.join(", ")}` : ""}; in quarantine ${kept.length}, retry: ${retried.sort().join(" and ")}, left ${left.length} (${only?.code}, ${only?.bytes} of ${bad.length} bytes), the retried value ${isBack ? "is" : "is NOT"} served`,
      ok:
        nextMs <= NEXT_MS_MAX &&
        missing === 0 &&
        failed.length === 0 &&
        kept.length === 2 &&
        retried.sort().join() === "data 1,refused" &&
        left.length === 1 &&
        only?.bytes === bad.length &&
        isBack,
    };
  },
};
