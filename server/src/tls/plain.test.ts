import { expect, test } from "bun:test";
import { factsOf, parseCertificate } from "./certificate.ts";
import { certificateView, claimPin, type HubTls, hstsS, trustAnswer } from "./hub-tls.ts";
import { issueCertificate, makeAuthority } from "./own-authority.ts";
import { plainAnswer, startPlain } from "./plain.ts";

const nowMs = Date.UTC(2026, 10, 26);
const authority = await makeAuthority(["hub.example"], nowMs);
const pair = await issueCertificate(authority, ["hub.example"], nowMs);
const trust = { trust: { hubId: "h", rev: 1, authorities: [authority.cert] }, signature: "s" };
const words = {
  trust,
  loopbackOnly: false,
  plainPort: () => 80,
  publicUrl: () => "https://hub.example:8443",
  trustUrl: () => "http://hub.example/trust",
};
const own: HubTls = {
  ...words,
  keeper: { kind: "own", facts: factsOf(pair.cert), authorities: [authority.cert], findings: () => [] },
};
const open: HubTls = { ...words, keeper: { ...own.keeper!, kind: "acme", authorities: [] } };
const answers = new Map([["tok-1", "tok-1.thumb"]]);

const ask = (path: string, init: RequestInit = {}) =>
  plainAnswer(new Request(`http://hub.example${path}`, init), own, answers);
const page = { headers: { accept: "text/html,*/*" } };

test.each([
  ["/devices?x=1", "https://hub.example:8443/devices?x=1"],
  ["//evil.example/x", "https://hub.example:8443//evil.example/x"],
])("S07: a page at %s is led to the hub's own name", (path, location) => {
  const answer = ask(path, page);
  expect(answer.status).toBe(308);
  expect(answer.headers.get("location")).toBe(location);
});

test.each([
  ["the API", "/api/v1/me", page],
  ["the uplink", "/api/v1/uplink", {}],
  ["a program", "/devices", {}],
  ["a post", "/devices", { method: "POST", ...page }],
  ["figures", "/metrics", page],
])("S07: %s is refused, not led on", async (_, path, init) => {
  const answer = ask(path, init);
  expect(answer.status).toBe(403);
  expect(answer.headers.get("location")).toBeNull();
  expect(await answer.json()).toMatchObject({ code: "request.plain" });
});

test("an authority's question is answered while it is asked, and no other", async () => {
  expect(await ask("/.well-known/acme-challenge/tok-1").text()).toBe("tok-1.thumb");
  expect(ask("/.well-known/acme-challenge/tok-2").status).toBe(404);
});

test("a phone gets the page, the certificate, Apple's profile and the code", async () => {
  const html = await ask("/trust", page).text();
  expect(html).toContain(factsOf(authority.cert).fingerprint);
  expect(html).not.toContain("style=");
  const der = new Uint8Array(await ask("/trust/ca.crt").arrayBuffer());
  expect(der).toEqual(new Uint8Array(parseCertificate(authority.cert).raw));
  const profile = await ask("/trust/ca.mobileconfig").text();
  expect(profile).toContain(Buffer.from(der).toString("base64"));
  expect(await ask("/trust/qr.svg").text()).toStartWith("<svg");
  expect(ask("/trust/other").status).toBe(403);
});

test("with a public certificate there is nothing to download and nothing to pin", () => {
  expect(trustAnswer(open, "/trust/ca.crt")).toBeNull();
  expect(claimPin(open)).toBeNull();
  expect(certificateView(open)).toMatchObject({ kind: "acme", authority: null, trustUrl: null });
  const facts = { subject: "CN=Millrace hub", publicUrl: "https://hub.example:8443", plainPort: 80 };
  expect(certificateView(own)).toMatchObject({ ...facts, findings: [] });
  expect(claimPin(own)).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(hstsS(open)).toBeGreaterThan(hstsS(own));
});

test("plain http that leaves the machine is a finding; on loopback and behind a proxy it is none", () => {
  const found = (loopbackOnly: boolean, publicUrl: string) =>
    certificateView({ ...words, keeper: null, loopbackOnly, publicUrl: () => publicUrl }).findings.map(
      ({ code }) => code,
    );
  expect(found(false, "http://hub.example")).toEqual(["certificate.none"]);
  expect(found(true, "http://localhost:8080")).toEqual([]);
  expect(found(false, "https://hub.example")).toEqual([]);
});

test("S07: the plain port itself: headers on each answer, no HSTS, nothing of the key", async () => {
  const server = startPlain({ hostname: "127.0.0.1", port: 0 }, own, answers);
  try {
    const answer = await fetch(new URL("/api/v1/me", server.url));
    expect(answer.status).toBe(403);
    expect(answer.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    expect(answer.headers.get("strict-transport-security")).toBeNull();
    const keyLine = authority.key.split("\n")[1]!;
    for (const path of ["/trust", "/trust/ca.pem", "/trust/ca.mobileconfig", "/trust/hub.json"])
      expect(await (await fetch(new URL(path, server.url))).text()).not.toContain(keyLine);
  } finally {
    await server.stop(true);
  }
});
