import { expect, test } from "bun:test";
import type { HubCertificate } from "@millrace/contract/api/certificate";
import { dayWords, gatewaysWords, gatewayWay, leftWords, nameWords, wayOf } from "./security-words.ts";

const base: HubCertificate = {
  kind: "off",
  publicUrl: "http://localhost:8080",
  loopbackOnly: true,
  plainPort: null,
  subject: "",
  names: [],
  issuer: "",
  notBefore: null,
  notAfter: null,
  fingerprint: null,
  authority: null,
  trustUrl: null,
  findings: [],
};
const status = (hubTrust?: "pinned" | "public" | "loopback" | "plain") =>
  ({ enrolment: "enrolled", status: { ...(hubTrust && { hubTrust }) } }) as never;

test("only plain http that leaves the machine is called open", () => {
  expect(wayOf(base).safety).toBe("safe");
  expect(wayOf({ ...base, loopbackOnly: false }).safety).toBe("open");
  expect(wayOf({ ...base, loopbackOnly: false, publicUrl: "https://hub.example" }).title).toContain("proxy");
  for (const kind of ["own", "files", "acme"] as const) expect(wayOf({ ...base, kind }).safety).toBe("safe");
});

test("the end of a certificate is said in days, also when it is over", () => {
  const nowMs = Date.parse("2026-11-26T12:00:00Z");
  expect(leftWords("2027-02-24T12:00:00Z", nowMs)).toBe("90 days left");
  expect(leftWords("2026-11-27T13:00:00Z", nowMs)).toBe("1 day left");
  expect(leftWords("2026-11-26T13:00:00Z", nowMs)).toBe("ends today");
  expect(leftWords("2026-11-26T11:00:00Z", nowMs)).toBe("ended 1 day ago");
  expect(leftWords("2026-11-20T12:00:00Z", nowMs)).toBe("ended 6 days ago");
  expect(dayWords("2027-02-24T12:00:00Z")).toBe("24 February 2027");
  expect(nameWords("CN=Millrace hub, O=Plant")).toBe("Millrace hub, Plant");
  expect(nameWords("")).toContain("nobody");
});

test("each gateway says by what it trusts the hub, and one that does not tell is not called safe", () => {
  expect(gatewayWay(status("pinned"))).toMatchObject({ safety: "safe" });
  expect(gatewayWay(status("plain"))).toMatchObject({ safety: "open" });
  expect(gatewayWay(status())).toMatchObject({ safety: "unknown" });
  expect(gatewayWay({ enrolment: "unclaimed", status: null }).text).toBe("No machine yet");
  expect(gatewayWay({ enrolment: "revoked", status: null }).text).toBe("Shut out");
  expect(gatewaysWords([status("pinned"), status("plain"), status()])).toBe(
    "3 gateways: 1 trust this hub's authority alone, 1 not encrypted, 1 unknown.",
  );
  expect(gatewaysWords([])).toBe("There is no gateway yet.");
});
