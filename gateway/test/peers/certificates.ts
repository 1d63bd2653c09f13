import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Certificates made by OpenSSL: an authority, a server at 127.0.0.1 and a client. All PEM. */
export interface Certificates {
  ca: string;
  server: { cert: string; key: string };
  client: { cert: string; key: string };
}

async function openssl(folder: string, ...args: string[]): Promise<void> {
  const run = Bun.spawn(["openssl", ...args], { cwd: folder, stdout: "ignore", stderr: "pipe" });
  const said = await new Response(run.stderr).text();
  if ((await run.exited) !== 0) throw new Error(said);
}

/** @param host address in the server's certificate */
export async function makeCertificates(host = "127.0.0.1"): Promise<Certificates> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-certificates-"));
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  try {
    await openssl(
      folder,
      "req",
      "-x509",
      ...curve,
      "-keyout",
      "ca.key",
      "-out",
      "ca.crt",
      "-subj",
      "/CN=Plant",
      "-days",
      "2",
    );
    const sign = async (name: string, extension: string) => {
      await writeFile(join(folder, `${name}.ext`), extension);
      await openssl(
        folder,
        "req",
        ...curve,
        "-keyout",
        `${name}.key`,
        "-out",
        `${name}.csr`,
        "-subj",
        `/CN=${name}`,
      );
      const from = ["-in", `${name}.csr`, "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"];
      await openssl(
        folder,
        "x509",
        "-req",
        ...from,
        "-out",
        `${name}.crt`,
        "-days",
        "2",
        "-extfile",
        `${name}.ext`,
      );
    };
    const isAddress = /^[\d.]+$/.test(host);
    await sign("server", `subjectAltName=${isAddress ? "IP" : "DNS"}:${host}\n`);
    await sign("client", "extendedKeyUsage=clientAuth\n");
    const text = (name: string) => readFile(join(folder, name), "utf8");
    return {
      ca: await text("ca.crt"),
      server: { cert: await text("server.crt"), key: await text("server.key") },
      client: { cert: await text("client.crt"), key: await text("client.key") },
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
