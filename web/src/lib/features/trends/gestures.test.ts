import { expect, test } from "bun:test";
import { type GestureAction, type GestureInput, IDLE, stepGesture } from "./gestures.ts";

/** What a sequence of inputs makes of the chart. */
function play(inputs: readonly GestureInput[]): GestureAction[] {
  let state = IDLE;
  return inputs.flatMap((input) => {
    const step = stepGesture(state, input);
    state = step.state;
    return step.actions;
  });
}

const down = (id: number, x: number, y = 0, timeMs = 0, more: { touch?: boolean; shift?: boolean } = {}) =>
  ({ type: "down", id, at: { x, y }, timeMs, touch: true, shift: false, ...more }) as const;
const move = (id: number, x: number, y = 0) => ({ type: "move", id, at: { x, y } }) as const;
const up = (id: number, x: number, y = 0, timeMs = 100) =>
  ({ type: "up", id, at: { x, y }, timeMs }) as const;
const kinds = (actions: readonly GestureAction[]) => actions.map(({ type }) => type);
const mouse = { touch: false };

test("one finger sideways pans by as much as it moved", () => {
  const actions = play([down(1, 100), move(1, 80), move(1, 50), up(1, 50, 0, 900)]);
  expect(actions).toEqual([{ type: "pan", dx: -20 }, { type: "pan", dx: -30 }, { type: "settled" }]);
});
test("a finger the browser takes for scrolling moves nothing", () => {
  expect(play([down(1, 100), move(1, 103, 5), { type: "cancel", id: 1 }])).toEqual([]);
});
test("two fingers side by side zoom time about their middle", () => {
  const actions = play([down(1, 100), down(2, 200), move(2, 300), up(2, 300), up(1, 100)]);
  expect(actions[0]).toEqual({ type: "zoomX", x: 150, factor: 2, dx: 50 });
  expect(kinds(actions)).toEqual(["zoomX", "settled"]);
});
test("two fingers above each other zoom the axis", () => {
  const [action] = play([down(1, 50, 100), down(2, 60, 200), move(2, 60, 250)]);
  expect(action).toMatchObject({ type: "zoomY", factor: 1.5, at: { x: 55, y: 150 } });
});
test("the finger that stays after a pinch does not pan", () => {
  const actions = play([down(1, 100), down(2, 200), move(2, 300), up(2, 300), move(1, 10), up(1, 10)]);
  expect(kinds(actions)).not.toContain("pan");
});
test("a long press sets the cursor, and goes on with the finger", () => {
  const actions = play([down(1, 100, 5), { type: "held" }, move(1, 120, 5), up(1, 120, 5, 2_000)]);
  expect(actions).toEqual([
    { type: "cursor", at: { x: 100, y: 5 }, fresh: true },
    { type: "cursor", at: { x: 120, y: 5 }, fresh: false },
  ]);
});
test("a press that moved is no long press", () => {
  expect(kinds(play([down(1, 100), move(1, 140), { type: "held" }]))).toEqual(["pan"]);
});
test("two taps go back, two slow ones do not", () => {
  const twice = (secondMs: number) =>
    kinds(play([down(1, 10), up(1, 10, 0, 50), down(1, 12, 0, secondMs), up(1, 12, 0, secondMs + 50)]));
  expect(twice(200)).toEqual(["tap", "back"]);
  expect(twice(900)).toEqual(["tap", "tap"]);
});
test("a mouse selects a stretch, with Shift it pans, without a button it hovers", () => {
  expect(play([down(1, 10, 0, 0, mouse), move(1, 60), up(1, 60)])).toEqual([
    { type: "selecting", fromX: 10, toX: 60 },
    { type: "select", fromX: 10, toX: 60 },
  ]);
  expect(kinds(play([down(1, 10, 0, 0, { ...mouse, shift: true }), move(1, 60)]))).toEqual(["pan"]);
  expect(play([move(9, 5, 6)])).toEqual([{ type: "hover", at: { x: 5, y: 6 } }]);
});
