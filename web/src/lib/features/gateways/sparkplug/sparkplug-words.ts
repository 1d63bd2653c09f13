import { wholeProblems } from "@millrace/contract/driver/check";
import type { SettingsDeclaration } from "@millrace/contract/driver/declaration";
import { sparkplugDeviceIds } from "@millrace/contract/sparkplug/id";
import { SparkplugId, SparkplugSettings, sparkplugDeclaration } from "@millrace/contract/sparkplug/settings";
import type { SparkplugState, SparkplugStatus } from "@millrace/contract/vocabulary/sparkplug";
import { Type } from "@sinclair/typebox";

/** What one form shows by itself: the names of devices have rows of their own. */
export const SPARKPLUG_FORM = Type.Omit(SparkplugSettings, ["deviceIds"]);

/** Devices whose names are shown for writing; those of a larger gateway are written in the configuration. */
export const NAMES_MAX = 200;

const STATE: Record<SparkplugState, string> = {
  online: "Tells its devices to the broker",
  waiting: "Waits for the primary host",
  connecting: "Not connected to the broker",
  stopped: "Out of service",
};

/** How the edge node is, in one sentence. */
export function stateWords(status: SparkplugStatus | null): string {
  if (status === null) return "The gateway has not told how it is doing yet.";
  const why = status.state === "online" ? "" : status.reason;
  return why === "" ? STATE[status.state] : `${STATE[status.state]}: ${why}`;
}

export const isWell = (status: SparkplugStatus | null): boolean =>
  status === null || status.state === "online";

const CHARACTERS = new RegExp(SparkplugId.pattern ?? "");

/** Why a text is no identifier; empty when it is, or when nothing is written. */
export const idProblem = (text: string): string =>
  text.trim() === "" || CHARACTERS.test(text.trim()) ? "" : "No + # / please.";

/** What is wrong with settings, by name. */
export const problemsOfSettings = (settings: Record<string, unknown>): Map<string, string> =>
  new Map(
    wholeProblems(sparkplugDeclaration as unknown as SettingsDeclaration, settings).map(({ at, message }) => [
      String(at[1] ?? ""),
      message,
    ]),
  );

interface Device {
  id: string;
  name: string;
  path: string;
}

/** Names of devices as they are with what is written, by device; what stands as the placeholder when nothing is. */
export const namesOf = (devices: readonly Device[], written: Readonly<Record<string, string>>) =>
  sparkplugDeviceIds(
    devices.map(({ id, name, path }) => ({ deviceId: id, name, path })),
    written,
  );

/** Names that were written, without the empty ones; undefined for none. */
export function writtenNames(texts: Readonly<Record<string, string>>): Record<string, string> | undefined {
  const written = Object.entries(texts).flatMap(([path, text]) =>
    text.trim() === "" ? [] : [[path, text.trim()] as const],
  );
  return written.length === 0 ? undefined : Object.fromEntries(written);
}
