import { expect, test } from "bun:test";
import { decodeSettings } from "@millrace/contract/driver/settings";
import type { AppError } from "@millrace/contract/error/app-error";
import { systemClock } from "@millrace/contract/std/clock";
import { makeCertificates } from "../../../test/peers/certificates.ts";
import { Mosquitto } from "../../../test/peers/mosquitto.ts";
import { mqtt } from "./index.ts";

async function connect(settings: object): Promise<string> {
  const decoded = decodeSettings(mqtt as never, { timeoutMs: 3_000, ...settings }) as never;
  const session = await mqtt.create(decoded, { clock: systemClock, onLost: () => undefined });
  const outcome = await session.connect(AbortSignal.timeout(8_000)).then(
    () => "connected",
    (error: AppError) => `${error.code} ${error.message}`,
  );
  await session.close();
  return outcome;
}

test("TLS: the right authority and client certificate connect; each that is wrong is refused with its reason", async () => {
  const [own, other, named] = await Promise.all([
    makeCertificates(),
    makeCertificates(),
    makeCertificates("broker.example.com"),
  ]);
  const start = ({ server, ca }: typeof own) =>
    Mosquitto.start({
      config: [
        "allow_anonymous true",
        "cafile %d/ca.crt",
        "certfile %d/server.crt",
        "keyfile %d/server.key",
        "require_certificate true",
      ],
      files: { "ca.crt": ca, "server.crt": server.cert, "server.key": server.key },
    });
  await using broker = await start(own);
  await using elsewhere = await start(named);
  const at = (port: number) => `mqtts://127.0.0.1:${port}`;
  const known = { ca: own.ca, clientCertificate: own.client.cert, clientKey: own.client.key };
  expect(await connect({ broker: at(broker.port), ...known })).toBe("connected");
  const stranger = await connect({ broker: at(broker.port), ...known, ca: other.ca });
  expect(stranger).toStartWith("link.untrusted");
  expect(stranger).toContain("nobody we trust");
  expect(await connect({ broker: at(broker.port) })).toStartWith("link.untrusted");
  const without = await connect({ broker: at(broker.port), ca: own.ca });
  expect(without).toStartWith("link.");
  const renamed = { ca: named.ca, clientCertificate: named.client.cert, clientKey: named.client.key };
  expect(await connect({ broker: at(elsewhere.port), ...renamed })).toContain("another name");
  const told = { ...renamed, serverName: "broker.example.com" };
  expect(await connect({ broker: at(elsewhere.port), ...told })).toBe("connected");
  // Somebody without TLS at the port for it, and the other way round.
  expect(await connect({ broker: `mqtt://127.0.0.1:${broker.port}` })).toStartWith("link.");
}, 20_000);
