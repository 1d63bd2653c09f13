/**
 * Prints which protocol libraries a process holds after it loaded the whole gateway and, for each kind of driver named as
 * an argument with settings, made a session: one line of JSON. In a process of its own, since a test that ran before has
 * loaded them all.
 */
import { decodeSettings } from "@millrace/contract/driver/settings";
import { systemClock } from "@millrace/contract/std/clock";

await import("../src/gateway.ts");
const { driverOf } = await import("../src/driver/registry.ts");
const wanted = JSON.parse(process.argv[2] ?? "{}") as Record<string, object>;
for (const [kind, settings] of Object.entries(wanted)) {
  const driver = driverOf(kind);
  await driver.create(decodeSettings(driver, settings) as never, { clock: systemClock, onLost: () => {} });
}
const libraries = new Set<string>();
for (const file of Object.keys(require.cache)) {
  const [, name] = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(file) ?? [];
  if (name !== undefined) libraries.add(name);
}
const rssMb = process.memoryUsage().rss / 1e6;
console.log(JSON.stringify({ libraries: [...libraries].sort(), rssMb }));
process.exit(0);
