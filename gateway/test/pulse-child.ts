import { readFileSync } from "node:fs";
import type { ManifestDevice } from "@millrace/contract/wire/manifest";
import { writeRig } from "./write-rig.ts";

/**
 * A gateway's way of a write in a process of its own, to be killed while it holds. Arguments: folder, file with the
 * devices, and the tag to press, or nothing. Prints each event it reports as a line of JSON.
 */
const [folder, devicesFile, press] = process.argv.slice(2);
const devices = JSON.parse(readFileSync(devicesFile!, "utf8")) as ManifestDevice[];
const rig = await writeRig({
  devices,
  folder: folder!,
  onEvent: (event) => process.stdout.write(`${JSON.stringify(event)}\n`),
});
while (rig.fleet.statuses()[0]?.linkState !== "up") await Bun.sleep(10);
if (press !== undefined) await rig.write(Number(press), true, false);
await new Promise(() => undefined);
