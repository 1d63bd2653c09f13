import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Somebody between a gateway and its hub: shows a certificate of another authority, and repeats what is public. */
export interface Impostor extends Disposable {
  url: string;
  /** Path of every request that got as far as being read. */
  asked: string[];
}

/** A site by a certificate that somebody made with the hub's stolen authority. */
export function startThief(
  folder: string,
  authorityFile: string,
  name: string,
): { port: number } & Disposable {
  mkdirSync(folder, { recursive: true });
  const [keyFile, askFile, certFile, extFile] = ["key", "ask", "cert", "ext"].map((part) =>
    join(folder, part),
  );
  writeFileSync(extFile!, `subjectAltName=DNS:${name}`);
  run([
    ...["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
    ...["-subj", "/O=Thief", "-keyout", keyFile!, "-out", askFile!],
  ]);
  run([
    ...["openssl", "x509", "-req", "-in", askFile!, "-CA", authorityFile, "-CAkey", authorityFile],
    ...["-days", "2", "-extfile", extFile!, "-out", certFile!],
  ]);
  const tls = { key: readFileSync(keyFile!, "utf8"), cert: readFileSync(certFile!, "utf8") };
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, tls, fetch: () => new Response("stolen") });
  return { port: server.port!, [Symbol.dispose]: () => void server.stop(true) };
}

function run(command: string[]): void {
  const done = Bun.spawnSync(command);
  if (done.exitCode !== 0) throw new Error(done.stderr.toString());
}

/** @param publicWord what the hub itself says at `/trust/hub.json`; everybody may have it */
export function startImpostor(folder: string, publicWord: string): Impostor {
  mkdirSync(folder, { recursive: true });
  const [keyFile, certFile] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  run([
    ...["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
    ...["-subj", "/CN=Millrace hub", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
    ...["-days", "2", "-keyout", keyFile, "-out", certFile],
  ]);
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
