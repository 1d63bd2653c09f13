import { expect, test } from "bun:test";
import { join } from "node:path";

/** What a gateway process holds with these devices. */
async function loadedWith(devices: Record<string, object>): Promise<string[]> {
  const script = join(import.meta.dir, "../../test/loaded-libraries.ts");
  const child = Bun.spawn([process.execPath, script, JSON.stringify(devices)], { stderr: "ignore" });
  const text = await new Response(child.stdout).text();
  return (JSON.parse(text.trim().split("\n").at(-1)!) as { libraries: string[] }).libraries;
}

const ofProtocols = (libraries: readonly string[]) =>
  [/^node-opcua/, /^modbus-serial$/].map((one) => libraries.some((name) => one.test(name)));

const modbus = { host: "127.0.0.1" };
const opcua = { endpoint: "opc.tcp://127.0.0.1:4840" };

test("a protocol's library is loaded with the first device that uses it, and not with the gateway", async () => {
  const [none, one, both] = await Promise.all([
    loadedWith({}),
    loadedWith({ modbus }),
    loadedWith({ modbus, opcua }),
  ]);
  expect(none.includes("prom-client")).toBe(true);
  expect(ofProtocols(none)).toEqual([false, false]);
  expect(ofProtocols(one)).toEqual([false, true]);
  expect(ofProtocols(both)).toEqual([true, true]);
}, 20_000);
