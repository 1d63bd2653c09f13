import { expect, test } from "bun:test";
import { Gate } from "./gate.ts";

test("no more than so many at once, in order, and a failure lets the next in", async () => {
  const gate = new Gate(3);
  let running = 0;
  let most = 0;
  const order: number[] = [];
  const work = (no: number) => async () => {
    most = Math.max(most, ++running);
    order.push(no);
    await Promise.resolve();
    await Promise.resolve();
    running--;
    if (no === 4) throw new Error("four");
    return no;
  };
  const done = await Promise.allSettled(Array.from({ length: 20 }, (_, no) => gate.pass(work(no))));
  expect(most).toBe(3);
  expect(order).toEqual(Array.from({ length: 20 }, (_, no) => no));
  expect(done.filter(({ status }) => status === "rejected")).toHaveLength(1);
});
