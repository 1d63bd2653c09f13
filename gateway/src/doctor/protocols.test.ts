import { expect, test } from "bun:test";
import { codes, down, found, line } from "../../test/line-facts.ts";
import type { LineFacts } from "../driver/doctor.ts";

/** Causes only one protocol has, from figures alone. */

const s7 = { family: "1200", pduMax: 240, rack: 0 };
const opcua = { publishMs: 500, keepAliveMs: 2_500 };
test.each<[string, string, Partial<LineFacts>, string, string, RegExp]>([
  [
    "s7",
    "PUT/GET off",
    { ...codes({ "0x8104": 9 }), settings: s7 },
    "access.off",
    "",
    /PUT\/GET communication/,
  ],
  [
    "s7",
    "one place closed",
    {
      ...codes({ "0x03": 2 }),
      settings: s7,
      learned: ["The CPU refuses DB1.DBW4 (code 0x03): access is switched off"],
    },
    "access.off",
    "",
    /DB1\.DBW4/,
  ],
  [
    "s7",
    "block missing",
    {
      ...codes({ "0x0a": 2 }),
      settings: s7,
      learned: ["The CPU refuses DB7.DBW0 (code 0x0a): DB7 is not in the CPU"],
    },
    "address.illegal",
    "",
    /DB7 is not in the CPU/,
  ],
  [
    "s7",
    "place wrong",
    { ...down("link.refused", { stage: "iso", slot: 2 }), settings: s7 },
    "link.place",
    "slot",
    /failed with link\.refused/,
  ],
  [
    "s7",
    "no resources",
    { ...codes({ "0x8304": 9 }), settings: s7 },
    "device.busy",
    "jobsMax",
    /no room for 9/,
  ],
  [
    "s7",
    "short telegrams",
    { settings: s7, busyShare: 0.7, figures: { pduBytes: 240 } },
    "pdu.short",
    "pduMax",
    /240 bytes .* `pduMax` to 960/,
  ],
  [
    "opcua",
    "no session left",
    { ...down("link.refused", { status: "BadTooManySessions" }), settings: opcua },
    "link.sessions",
    "sessionTimeoutMs",
    /no session left/,
  ],
  [
    "opcua",
    "clock too far off for security",
    { ...down("link.refused", { status: "BadInvalidTimestamp" }), settings: opcua },
    "link.clock",
    "",
    /set the server's clock/,
  ],
  [
    "opcua",
    "clock off",
    { settings: opcua, figures: { clockOffMs: -3_600_000 } },
    "clock.off",
    "",
    /1 h behind/,
  ],
  [
    "opcua",
    "news late",
    { settings: opcua, figures: { lateNews: 3, latestNewsMs: 9_000 } },
    "publish.late",
    "publishMs",
    /late 3 times, at worst after 9000 ms/,
  ],
  [
    "opcua",
    "news seldom",
    { settings: opcua, figures: { publishMs: 2_000 } },
    "publish.slow",
    "publishMs",
    /every 2000 ms at best/,
  ],
  [
    "opcua",
    "queue too short",
    { settings: opcua, figures: { overflows: 8 } },
    "queue.short",
    "queueMax",
    /threw 8 values away/,
  ],
  [
    "opcua",
    "nodes gone",
    { settings: opcua, figures: { missing: 4 } },
    "nodes.missing",
    "",
    /does not know 4/,
  ],
  [
    "opcua",
    "silent",
    { settings: opcua, silences: 2 },
    "connection.silent",
    "keepAliveMs",
    /fell silent twice/,
  ],
  [
    "opcua",
    "untrusted",
    { ...down("link.untrusted"), settings: opcua },
    "link.down",
    "serverFingerprint",
    /compare the fingerprint/,
  ],
])("%s: %s", (kind, _, more, finding, setting, words) => {
  const [first] = found(line(more, kind));
  expect(first).toMatchObject({ kind: finding, setting });
  expect(first!.words).toMatch(words);
});

test.each<[string, Partial<LineFacts>, string, RegExp]>([
  ["nothing comes", { spanMs: 400_000 }, "messages.none", /not one message came/],
  [
    "payloads of another shape",
    { messages: 50, unreadable: 20, heardAgoMs: 10, note: "a/b: no JSON." },
    "messages.unreadable",
    /^20 of 50 messages .* The last trouble: a\/b: no JSON\.$/,
  ],
  ["a broker that is off", down("link.refused"), "link.down", /is its service on/],
])("mqtt: %s", (_, more, kind, words) => {
  const [first] = found(line({ units: [], ...more }, "mqtt"));
  expect(first).toMatchObject({ kind });
  expect(first!.words).toMatch(words);
});
