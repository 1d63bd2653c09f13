// Prints the hub's settings as a Markdown table, for docs/settings.md.
import { settingTable } from "@millrace/contract/std/setting";
import { Settings } from "../src/settings.ts";

process.stdout.write(settingTable(Settings));
