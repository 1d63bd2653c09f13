import { chown, stat } from "node:fs/promises";
import { AppError } from "@millrace/contract/error/app-error";

/**
 * PostgreSQL refuses to run as root. Two ways round it, without making a user:
 * a user namespace in which root's own files belong to an ordinary user, or an ordinary user that exists already.
 */
export type Unprivileged = { how: "self" } | { how: "namespace" } | { how: "user"; uid: number; gid: number };

/** The words to put before a PostgreSQL program. */
export function commandPrefix(as: Unprivileged): string[] {
  switch (as.how) {
    case "self":
      return [];
    case "namespace":
      return ["unshare", "--user", "--map-user=1000", "--"];
    case "user":
      return ["setpriv", `--reuid=${as.uid}`, `--regid=${as.gid}`, "--clear-groups", "--"];
  }
}

async function runs(command: string[], cwd: string): Promise<boolean> {
  try {
    const child = Bun.spawn(command, { cwd, stdin: "ignore", stdout: "ignore", stderr: "ignore" });
    return (await child.exited) === 0;
  } catch {
    return false;
  }
}

async function idOf(user: string): Promise<{ uid: number; gid: number } | null> {
  const ask = async (flag: string) => Number(await Bun.$`id ${flag} ${user}`.nothrow().quiet().text());
  const [uid, gid] = await Promise.all([ask("-u"), ask("-g")]);
  return uid > 0 && gid > 0 ? { uid, gid } : null;
}

/**
 * Chooses how to run PostgreSQL below `folder`, by trying. When a real user is needed the folder is given to it; once
 * it belongs to somebody it stays with them, so that a second start finds the same owner.
 *
 * @throws AppError `database.unavailable` naming DATABASE_URL as the way out
 */
export async function chooseUser(folder: string, postgres: string): Promise<Unprivileged> {
  if (process.getuid?.() !== 0) return { how: "self" };
  const owner = await stat(folder);
  const namespace: Unprivileged = { how: "namespace" };
  if (owner.uid === 0 && (await runs([...commandPrefix(namespace), postgres, "--version"], folder))) {
    return namespace;
  }
  const users =
    owner.uid === 0 ? [await idOf("postgres"), await idOf("nobody")] : [{ uid: owner.uid, gid: owner.gid }];
  for (const user of users) {
    if (user === null) continue;
    const as: Unprivileged = { how: "user", ...user };
    await chown(folder, user.uid, user.gid);
    const prefix = commandPrefix(as);
    if (
      (await runs([...prefix, postgres, "--version"], "/")) &&
      (await runs([...prefix, "test", "-w", folder], "/"))
    ) {
      return as;
    }
    await chown(folder, owner.uid, owner.gid);
  }
  throw new AppError(
    "database.unavailable",
    "PostgreSQL must not run as root, and this machine neither allows user namespaces nor lets another user reach " +
      `${folder}. Run the hub as an ordinary user, or set DATABASE_URL to a PostgreSQL 15 or newer.`,
    { context: { folder } },
  );
}
