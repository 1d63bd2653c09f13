import { randomBytes } from "node:crypto";
import { chmod, chown, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "@millrace/contract/error/app-error";
import { type Binaries, findBinaries } from "./binaries.ts";
import { chooseUser, commandPrefix, type Unprivileged } from "./user.ts";

/** An initialised database cluster below the hub's data folder, and all that is needed to start it. */
export interface Cluster {
  folder: string;
  dataFolder: string;
  logFile: string;
  binaries: Binaries;
  as: Unprivileged;
  password: string;
}

export const ROLE = "millrace";

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function passwordOf(folder: string): Promise<string> {
  const file = join(folder, "password");
  if (!(await exists(file))) {
    await writeFile(`${file}.new`, randomBytes(32).toString("base64url"), { mode: 0o600 });
    await rename(`${file}.new`, file);
  }
  await chmod(file, 0o600);
  return (await readFile(file, "utf8")).trim();
}

/** initdb into a folder beside the real one, then one rename: a start that was cut off leaves nothing half made. */
async function initialise(cluster: Cluster): Promise<void> {
  const { folder, dataFolder, as, binaries, password } = cluster;
  const fresh = `${dataFolder}.new`;
  const passwordFile = join(folder, "password.initdb");
  await rm(fresh, { recursive: true, force: true });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (as.how === "user") await chown(passwordFile, as.uid, as.gid);
  try {
    const child = Bun.spawn(
      [
        ...commandPrefix(as),
        binaries.initdb,
        `--pgdata=${fresh}`,
        `--username=${ROLE}`,
        `--pwfile=${passwordFile}`,
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        // The same order of texts on every machine, whatever locales it has.
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--data-checksums",
      ],
      { cwd: folder, env: { PATH: process.env.PATH ?? "", LC_ALL: "C" }, stdout: "pipe", stderr: "pipe" },
    );
    const [code, said] = await Promise.all([
      child.exited,
      new Response(child.stderr).text(),
      new Response(child.stdout).text(),
    ]);
    if (code !== 0) {
      throw new AppError(
        "database.unavailable",
        `PostgreSQL could not make its data folder ${dataFolder}: ${said.trim().slice(-400)}`,
        { context: { exitCode: code } },
      );
    }
    await writeFile(join(fresh, "pg_hba.conf"), "host all all 127.0.0.1/32 scram-sha-256\n");
    await rename(fresh, dataFolder);
  } finally {
    await rm(passwordFile, { force: true });
  }
}

/**
 * Opens the cluster below `folder`, making it first when there is none.
 *
 * @throws AppError `database.unavailable`
 */
export async function openCluster(folder: string): Promise<Cluster> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const binaries = await findBinaries();
  const as = await chooseUser(folder, binaries.postgres);
  const cluster: Cluster = {
    folder,
    dataFolder: join(folder, "data"),
    logFile: join(folder, "postgres.log"),
    binaries,
    as,
    password: await passwordOf(folder),
  };
  if (!(await exists(join(cluster.dataFolder, "PG_VERSION")))) await initialise(cluster);
  return cluster;
}
