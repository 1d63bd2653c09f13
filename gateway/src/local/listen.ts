import { lookup } from "node:dns/promises";
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { isPrivateAddress } from "@millrace/contract/driver/network";
import { settingWrong } from "@millrace/contract/std/setting";

/** The settings a message names. */
const LOCAL_NAMES = { host: "MILLRACE_LOCAL_HOST", allowPublic: "MILLRACE_LOCAL_ALLOW_PUBLIC" };
const LOCAL_TLS = { cert: "MILLRACE_LOCAL_TLS_CERT_FILE", key: "MILLRACE_LOCAL_TLS_KEY_FILE" };

const bareAddress = (host: string): string => host.replace(/^\[|\]$/g, "");

/**
 * Refuses an address that is reached from outside the plant's network; a name is judged when it is looked up.
 * @throws AppError `setting.wrong`
 */
export function checkListenHost(host: string, allowPublic: boolean, names = LOCAL_NAMES): void {
  const address = bareAddress(host);
  if (allowPublic || isIP(address.replace(/%.*$/, "")) === 0 || isPrivateAddress(address)) return;
  const what = /^(0\.0\.0\.0|[0:]+)$/.test(address)
    ? "means every network this machine is in"
    : "is not a private address";
  throw settingWrong(
    names.host,
    `"${host}" ${what}. Give the address of the plant's side, or ${names.allowPublic}=1.`,
  );
}

/**
 * The one address to listen at. A name is looked up here and not by the socket, so that what was judged is what is used.
 * @throws AppError `setting.wrong`
 */
export async function listenAddress(
  host: string,
  allowPublic: boolean,
  names = LOCAL_NAMES,
): Promise<string> {
  const address = bareAddress(host);
  if (isIP(address.replace(/%.*$/, "")) === 0) {
    const found = await lookup(address).catch((cause) => {
      throw settingWrong(names.host, `"${host}" is not a name this machine knows: ${cause.message}`);
    });
    checkListenHost(found.address, allowPublic, names);
    return found.address;
  }
  checkListenHost(address, allowPublic, names);
  return address;
}

export interface Tls {
  cert: string;
  key: string;
}

/** @throws AppError `setting.wrong` when one of the two is missing or cannot be read; null for plain http */
export async function readTls(certFile: string, keyFile: string, names = LOCAL_TLS): Promise<Tls | null> {
  if (certFile === "" && keyFile === "") return null;
  const read = async (name: string, path: string) => {
    if (path === "")
      throw settingWrong(name, "a certificate and its key go together; one of the two is missing.");
    return await readFile(path, "utf8").catch(() => {
      throw settingWrong(name, `the file "${path}" cannot be read.`);
    });
  };
  return {
    cert: await read(names.cert, certFile),
    key: await read(names.key, keyFile),
  };
}
