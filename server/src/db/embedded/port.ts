import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

const HOST = "127.0.0.1";

/** Asks the system whether `port` is free on loopback now; 0 asks for any. Returns the port, or null when taken. */
function tryPort(port: number): number | null {
  try {
    const listener = Bun.listen({ hostname: HOST, port, socket: { data() {} } });
    const got = listener.port;
    listener.stop(true);
    return got;
  } catch {
    return null;
  }
}

/** The port this cluster used last time while it is still free, else a new one, which is then remembered. */
export async function choosePort(folder: string): Promise<number> {
  const file = join(folder, "port");
  const last = Number((await readFile(file, "utf8").catch(() => "")).trim());
  if (Number.isInteger(last) && last > 0 && tryPort(last) !== null) return last;
  const port = tryPort(0);
  if (port === null) throw new Error("no free port on loopback");
  await writeFile(file, `${port}\n`);
  return port;
}
