import { afterAll, expect, test } from "bun:test";
import { connectFailure } from "./connect-failure.ts";
import { openSocket } from "./socket.ts";

const portal = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("<html>") });
const other = Bun.listen({
  hostname: "127.0.0.1",
  port: 0,
  socket: { open: (socket) => void socket.write("220 mail\r\n"), data() {} },
});
const closing = Bun.listen({
  hostname: "127.0.0.1",
  port: 0,
  socket: { open: (socket) => void socket.end(), data() {} },
});
afterAll(() => {
  portal.stop(true);
  other.stop(true);
  closing.stop(true);
});

const PORT_OF_NOBODY = 1;

/** What really happens, word by word. */
test.each([
  ["a name nobody knows", "wss://hub.invalid/uplink", "nobody here knows the name hub.invalid"],
  ["a port nobody listens on", `ws://127.0.0.1:${PORT_OF_NOBODY}/u`, "nothing listens at 127.0.0.1:1"],
  ["a captive portal", `ws://127.0.0.1:${portal.port}/u`, "answers, but not as a hub does (HTTP status 200)"],
  ["another service", `ws://127.0.0.1:${other.port}/u`, "answers, but not as a hub does"],
  ["one that hangs up", `ws://127.0.0.1:${closing.port}/u`, "ends it without an answer"],
  [
    "no TLS",
    `wss://127.0.0.1:${portal.port}/u`,
    `no safe connection to 127.0.0.1:${portal.port}: it does not speak TLS`,
  ],
])("%s", async (_, url, expected) => {
  const closed = Promise.withResolvers<{ code: number; reason: string }>();
  const fail = () => closed.reject(new Error("it opened"));
  openSocket(url, {
    onOpened: fail,
    onHeard: fail,
    onGarbage: fail,
    onClosed: (code, reason) => closed.resolve({ code, reason }),
  });
  const { code, reason } = await closed.promise;
  expect(code).toBe(1006);
  expect(reason).toContain(expected);
});

test.each([
  ["CERT_HAS_EXPIRED", "no safe connection to hub.example:443: its certificate has expired"],
  [
    "ERR_TLS_CERT_ALTNAME_INVALID",
    "no safe connection to hub.example:443: its certificate is for another name",
  ],
  ["SOMETHING_NEW", "no safe connection to hub.example:443: SOMETHING_NEW"],
])("a certificate: %s", (code, expected) => {
  const message = "WebSocket connection to 'wss://hub.example/u' failed: TLS handshake failed: some words";
  expect(connectFailure("wss://hub.example/u", { code, message })).toBe(expected);
});

test("words of a later Bun are passed on", () => {
  expect(connectFailure("wss://hub.example/u", { message: "something new" })).toBe("something new");
});
