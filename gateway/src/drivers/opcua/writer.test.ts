import { expect, test } from "bun:test";
import type { OpcuaAddress } from "@millrace/contract/driver/opcua/address";
import { AppError } from "@millrace/contract/error/app-error";
import type { PointWrite } from "../../driver/driver.ts";
import type { StatusLike, WriteNode } from "./wire.ts";
import { NodeTypes, TYPES_MAX, writeAll } from "./writer.ts";

const points = (count: number): PointWrite<OpcuaAddress>[] =>
  Array.from({ length: count }, (_, id) => ({
    id,
    address: { namespace: { index: 1 }, type: "i", id: String(id), element: null },
    dataType: "float64",
    value: id,
  }));
const status = (name: string, value: number): StatusLike => ({ name, value });
const GOOD = status("Good", 0);
type Answer = (nodes: readonly WriteNode[]) => StatusLike[];

/** @param answers of one request after the other */
function rig(answers: readonly Answer[], unsent = -1) {
  const types = new NodeTypes();
  const sent: string[][] = [];
  const run = (count: number, nodesMax = 2) =>
    writeAll(points(count), {
      nodesMax,
      resolve: ({ id }) => id,
      types,
      learnTypes: async (missing) => {
        for (const { node } of missing) types.learn(node, { dataType: 11, arrayType: 0, value: 1 });
      },
      send: async (nodes, onSent) => {
        if (sent.length === unsent) throw new AppError("link.lost", "not connected.");
        onSent();
        sent.push(nodes.map(({ node }) => node));
        return answers[sent.length - 1]!(nodes);
      },
    });
  return { run, sent, types };
}
const fails =
  (error: Error): Answer =>
  () => {
    throw error;
  };
const all: Answer = (nodes) => nodes.map(() => GOOD);

test("in order, in parts as large as the server takes, one outcome for each", async () => {
  const it = rig([all, all, all]);
  expect((await it.run(5)).map(({ id, done }) => [id, done])).toEqual(
    [0, 1, 2, 3, 4].map((id) => [id, true]),
  );
  expect(it.sent).toEqual([["0", "1"], ["2", "3"], ["4"]]);
});

test("after a request without an answer nothing more is sent", async () => {
  const it = rig([all, fails(new AppError("device.timeout", "no answer."))]);
  const outcomes = await it.run(5);
  expect(outcomes.map((one) => (one.done ? "done" : one.maybe))).toEqual(["done", "done", true, true, false]);
  expect(outcomes[4]).toMatchObject({ code: "device.timeout", message: "Not written: no answer." });
  expect(it.sent).toHaveLength(2);
});

test("nothing sent at all is the error itself; later it is told for each", async () => {
  await expect(rig([], 0).run(2)).rejects.toThrow("not connected");
  const outcomes = await rig([all], 1).run(3);
  expect(outcomes[2]).toMatchObject({ done: false, maybe: false, code: "link.lost" });
});

test("a request that the server refuses as a whole leaves no doubt", async () => {
  const refusal = new AppError("device.failed", "the server refuses.", {
    context: { status: "BadTooManyOperations" },
  });
  const [one] = await rig([fails(refusal)]).run(1);
  expect(one).toMatchObject({ done: false, maybe: false, code: "device.refused" });
});

test.each<[string, number, string | null, boolean]>([
  ["GoodClamped", 0x0030_0000, null, false],
  ["UncertainInitialValue", 0x4092_0000, null, false],
  ["BadNotWritable", 0x803b_0000, "device.refused", false],
  ["BadUserAccessDenied", 0x801f_0000, "device.refused", false],
  ["BadNodeIdUnknown", 0x8034_0000, "address.illegal", false],
  ["BadTimeout", 0x800a_0000, "device.timeout", true],
  ["BadNoCommunication", 0x8031_0000, "device.failed", true],
  ["BadNotConnected", 0x808a_0000, "device.failed", true],
  ["BadServerNotConnected", 0x800d_0000, "device.failed", true],
  ["BadOutOfRange", 0x803c_0000, "device.refused", false],
  ["BadUnexpectedError", 0x8001_0000, "device.failed", true],
])("%s", async (name, value, code, maybe) => {
  const [outcome] = await rig([() => [status(name, value)]]).run(1);
  expect(outcome).toMatchObject(code === null ? { done: true } : { done: false, code, maybe });
});

test("fewer answers than writes say nothing of any of them; a refused type is asked for once more", async () => {
  const [first, second] = await rig([() => [GOOD]]).run(2);
  expect([first, second]).toMatchObject([{ maybe: true, code: "link.garbled" }, { maybe: true }]);
  const it = rig([() => [status("BadTypeMismatch", 0x8074_0000)]]);
  await it.run(1);
  expect(it.types.of("0")).toBeUndefined();
});

test("a node is written though as many others as are remembered were read before it", async () => {
  const it = rig([all]);
  for (let at = 0; at < TYPES_MAX; at++)
    it.types.note(`other ${at}`, { dataType: 11, arrayType: 0, value: 1 });
  expect((await it.run(1)).map(({ done }) => done)).toEqual([true]);
});
