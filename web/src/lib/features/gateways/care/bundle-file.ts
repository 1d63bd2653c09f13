/** A name for the file that any disk takes and a person recognises. */
export function bundleName(gatewayName: string, madeAt: string): string {
  const name = gatewayName
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60);
  return `support-${name === "" ? "gateway" : name}-${madeAt.slice(0, 19).replaceAll(":", "-")}.json`;
}
