import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Somebody between a gateway and its hub: shows a certificate of another authority, and repeats what is public. */
export interface Impostor extends Disposable {
  url: string;
  /** Path of every request that got as far as being read. */
  asked: string[];
}

/** @param publicWord what the hub itself says at `/trust/hub.json`; everybody may have it */
export function startImpostor(folder: string, publicWord: string): Impostor {
  mkdirSync(folder, { recursive: true });
  const [keyFile, certFile] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const run = Bun.spawnSync([
    ...["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
    ...["-subj", "/CN=Millrace hub", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
    ...["-days", "2", "-keyout", keyFile, "-out", certFile],
  ]);
  if (run.exitCode !== 0) throw new Error(run.stderr.toString());
  const asked: string[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    tls: { key: readFileSync(keyFile, "utf8"), cert: readFileSync(certFile, "utf8") },
    fetch(request) {
      const { pathname } = new URL(request.url);
      asked.push(pathname);
      return pathname === "/trust/hub.json"
        ? new Response(publicWord, { headers: { "content-type": "application/json" } })
        : new Response("{}", { status: 500 });
    },
  });
  return {
    url: `https://localhost:${server.port}`,
    asked,
    [Symbol.dispose]: () => void server.stop(true),
  };
}
