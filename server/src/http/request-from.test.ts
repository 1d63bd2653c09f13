import { expect, test } from "bun:test";
import { CLIENT_HEADER, clientKind, requestFrom } from "./request-from.ts";

const CHROME =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0 Safari/537.36";
const PHONE = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/150.0 Mobile Safari/537.36";
const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148";

test("the kind of client is what it says of itself, and unknown without one", () => {
  const kinds = [CHROME, PHONE, IPHONE, "curl/8.5.0", "Bun/1.4.5", "", null].map(clientKind);
  expect(kinds).toEqual(["browser", "mobile", "mobile", "commandLine", "program", "unknown", "unknown"]);
  expect(clientKind(`${"x".repeat(1_000)} Android`)).toBe("program");
});

test("S13: the address is the socket's peer, whatever the headers claim", () => {
  const headers = { "x-forwarded-for": "1.2.3.4", [CLIENT_HEADER]: "curl/8" };
  const request = new Request("http://hub.example/", { headers });
  const from = (address: string | null) =>
    requestFrom(request, { requestIP: () => (address === null ? null : { address }) });
  expect(from("::ffff:10.0.0.7")).toEqual({ address: "10.0.0.7", client: "commandLine" });
  expect(from("fd00::12").address).toBe("fd00::12");
  expect(from(null).address).toBe("unknown");
  expect(requestFrom(request, null).address).toBe("unknown");
});
