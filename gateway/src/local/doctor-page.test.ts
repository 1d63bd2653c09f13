import { expect, test } from "bun:test";
import { systemClock } from "@millrace/contract/std/clock";
import { patient } from "../../test/doctor-rig.ts";
import { localRig } from "../../test/local-rig.ts";
import { ModbusSimulator } from "../drivers/modbus/simulator.ts";

test("a technician reads the cause at the machine, looks at a unit's figures, and counts anew", async () => {
  await using simulator = await ModbusSimulator.start(systemClock);
  simulator.unit(1);
  const settings = { host: "127.0.0.1", port: simulator.port, timeoutMs: 50 };
  const devices = [1, 7].map((unit) => patient("modbus", { ...settings, unit }, ["holding:0"]));
  devices[1]!.name = "Press <7>";
  await using rig = await localRig({ devices });
  expect((await rig.visitor().get("/doctor")).status).toBe(401);
  const ada = await rig.inside();
  let page = "";
  do {
    await systemClock.sleep(50);
    page = await ada.text("/doctor");
  } while (!page.includes("Unit 7 answers none of"));
  expect(page).toContain("is its unit number 7?");
  const [, one = ""] = /href="(\/doctor\?connection=[^"]+)"/.exec(page) ?? [];
  const detail = await ada.text(one.replaceAll("&amp;", "&"));
  for (const words of ["Unit 1", "Press &lt;7&gt;", "Bus time", 'role="img"', "Last 15 min"])
    expect(detail).toContain(words);
  const since = () => rig.fleet.connections()[0]!.chart("start").figures.countedSinceMs;
  const began = since();
  const connection = rig.fleet.connections()[0]!.key;
  const back = await ada.post("/doctor/reset", { connection });
  expect(back.headers.get("location")).toStartWith("/doctor?connection=modbus");
  expect(await ada.text(back.headers.get("location")!)).toContain("Counted anew from now on.");
  expect(since()).toBeGreaterThan(began);
  await ada.post("/doctor/reset", { connection: "modbus:elsewhere:502" });
  expect(await ada.text("/doctor?connection=modbus:elsewhere:502")).toContain(
    "There is no such connection any more.",
  );
});
