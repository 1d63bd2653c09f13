// bun run bench [codec] [pipeline] [drain] [historian] [config] [modbus] [modbus-large] [s7] [command] [opcua] [memory]: measures and prints; compares, never judges.
import { cpus } from "node:os";
import { benchCodec } from "./codec.ts";
import { benchCommand } from "./command.ts";
import { benchConfig } from "./config.ts";
import { benchDrain } from "./drain.ts";
import { benchGatewayMemory } from "./gateway-memory.ts";
import { benchHistorian } from "./historian/main.ts";
import { benchModbusPoll, FLEET, LARGE_FLEET } from "./modbus-poll.ts";
import { benchOpcua } from "./opcua.ts";
import { benchPipeline } from "./pipeline.ts";
import { type BenchRow, printRows } from "./report.ts";
import { benchS7Poll } from "./s7-poll.ts";

const BENCHES: Record<string, { title: string; run: () => Promise<BenchRow[]> }> = {
  codec: { title: "Block codec, one core", run: benchCodec },
  pipeline: { title: "Pipeline: source, disk, WebSocket, PostgreSQL, ack", run: benchPipeline },
  drain: { title: "Drain of a backlog of 8 hours while the present goes on", run: benchDrain },
  historian: { title: "Historian: a month of ten mixed tags, a year of one", run: benchHistorian },
  config: { title: "Configuration of a large fleet: 1,000 gateways, 5 million tags", run: benchConfig },
  command: { title: "Writes to Modbus devices under 10,000 polled tags", run: benchCommand },
  opcua: { title: "OPC UA: 10,000 items subscribed", run: benchOpcua },
  memory: { title: "Memory of a gateway with Modbus alone", run: benchGatewayMemory },
  modbus: { title: "Modbus polling: 20 devices x 500 floats at 1 s", run: () => benchModbusPoll(FLEET) },
  "modbus-large": {
    title: "Modbus polling: 100 devices x 1,000 floats at 1 s",
    run: () => benchModbusPoll(LARGE_FLEET),
  },
  s7: { title: "S7 polling: 20 CPUs x 1,000 tags at 1 s", run: benchS7Poll },
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(", ")}; there are ${Object.keys(BENCHES).join(", ")}`);
  process.exit(2);
}
console.log(
  `${cpus().length} x ${cpus()[0]?.model ?? "unknown CPU"}, Bun ${Bun.version}, ${process.platform}`,
);
for (const [name, { title, run }] of Object.entries(BENCHES)) {
  if (wanted.length === 0 || wanted.includes(name)) printRows(title, await run());
}
