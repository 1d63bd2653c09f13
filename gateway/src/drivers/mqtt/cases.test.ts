import { join } from "node:path";
import { systemClock } from "@millrace/contract/std/clock";
import { type CaseDevice, driverCases } from "../../../test/driver-cases.ts";
import type { Point, Reading, Session } from "../../driver/driver.ts";
import type { AnyDriver } from "../../driver/registry.ts";
import { mqtt } from "./index.ts";
import { BrokerSimulator } from "./simulator.ts";

interface Device extends CaseDevice {
  messages: { topic: string; payload: string; retain?: boolean }[];
}

/** What is told of each point last, from the retained messages on to the live ones. */
async function hear(session: Session, points: readonly Point[], sendLive: () => boolean): Promise<Reading[]> {
  const latest = new Map<number, Reading>();
  const end = new AbortController();
  const wishes = points.map((point) => ({ ...point, scanMs: 1_000, deadband: 0 }));
  await session.subscribe!(
    wishes,
    (readings) => {
      for (const reading of readings) latest.set(reading.id, reading);
    },
    end.signal,
  );
  // Long enough for what waits to be told to be waiting.
  await systemClock.sleep(sendLive() ? 60 : 900);
  end.abort();
  return [...latest.values()];
}

driverCases(mqtt as unknown as AnyDriver, {
  folder: join(import.meta.dir, "cases"),
  async open({ messages }: Device) {
    const broker = await BrokerSimulator.start();
    for (const { topic, payload, retain } of messages)
      if (retain === true) broker.send(topic, payload, { retain });
    const live = messages.filter(({ retain }) => retain !== true);
    return {
      settings: { broker: `mqtt://127.0.0.1:${broker.port}`, firstValueMs: 250 },
      hear: (session, points) =>
        hear(session, points, () => {
          for (const { topic, payload } of live) broker.send(topic, payload);
          return live.length > 0;
        }),
      close: () => broker.close(),
    };
  },
});
