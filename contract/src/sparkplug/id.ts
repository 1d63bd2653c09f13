/** What an identifier may not hold, as a sign that tells a reader where it was. */
const plain = (text: string): string => text.replaceAll("/", ".").replace(/[+#]/g, "_");

export interface Named {
  deviceId: string;
  name: string;
  path: string;
}

const lower = (text: string): string => text.toLowerCase();

/**
 * Identifiers of the devices of one edge node, by device: what somebody wrote, else the name, else the path with dots
 * where another device has that name. Two that differ only in case count as the same (3.0, 5.3), and what is the same
 * even then is told apart by the beginning of our own id. The same devices always get the same identifiers.
 * @param written by path
 */
export function sparkplugDeviceIds(
  devices: readonly Named[],
  written: Readonly<Record<string, string>> = {},
): Map<string, string> {
  const own = (path: string): string | undefined =>
    Object.hasOwn(written, path) ? written[path] : undefined;
  const names = new Map<string, number>();
  for (const { name, path } of devices) {
    const key = lower(own(path) ?? plain(name));
    names.set(key, (names.get(key) ?? 0) + 1);
  }
  const ids = new Map<string, string>();
  const taken = new Set<string>();
  const put = (deviceId: string, id: string): void => {
    const free = taken.has(lower(id)) ? `${id} ${deviceId.replaceAll("-", "").slice(-12)}` : id;
    taken.add(lower(free));
    ids.set(deviceId, free);
  };
  const sorted = [...devices].sort((a, b) => (a.deviceId < b.deviceId ? -1 : 1));
  // Written ones first: nobody who chose a name loses it to a chance.
  for (const { deviceId, path } of sorted) {
    const id = own(path);
    if (id !== undefined) put(deviceId, id);
  }
  for (const { deviceId, name, path } of sorted) {
    if (own(path) !== undefined) continue;
    const id = plain(name);
    put(deviceId, names.get(lower(id)) === 1 ? id : plain(path));
  }
  return ids;
}

/** How a gateway is called as edge node: as somebody wrote it, else by the names of its site and itself. */
export function sparkplugNodeOf(
  gatewayName: string,
  siteName: string,
  settings: Readonly<Record<string, unknown>> = {},
): { groupId: string; edgeNodeId: string } {
  const written = (name: string): string | null => {
    const value = settings[name];
    return typeof value === "string" && value !== "" ? value : null;
  };
  return {
    groupId: written("groupId") ?? plain(siteName),
    edgeNodeId: written("edgeNodeId") ?? plain(gatewayName),
  };
}
