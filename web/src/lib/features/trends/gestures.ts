/**
 * What fingers, mouse and wheel mean on a chart, as a pure machine: pointer events in, intentions out. Places are CSS
 * px of the chart. One finger sideways pans (up and down scrolls the page and never reaches us), two fingers sideways
 * zoom time, two fingers up and down zoom the touched axis, two taps go back, a long press sets the cursor. A mouse
 * drag selects a stretch, with Shift it pans.
 */
export interface Place {
  x: number;
  y: number;
}
export type GestureInput =
  | { type: "down"; id: number; at: Place; timeMs: number; touch: boolean; shift: boolean }
  | { type: "move"; id: number; at: Place }
  | { type: "up"; id: number; at: Place; timeMs: number }
  | { type: "cancel"; id: number }
  /** The long-press time of the last `down` is over. */
  | { type: "held" };

export type GestureAction =
  | { type: "pan"; dx: number }
  | { type: "zoomX"; x: number; factor: number; dx: number }
  | { type: "zoomY"; at: Place; factor: number }
  /** Fingers left: the range is where the person wants it. */
  | { type: "settled" }
  | { type: "back" }
  | { type: "tap"; at: Place; touch: boolean }
  | { type: "cursor"; at: Place; fresh: boolean }
  | { type: "selecting"; fromX: number; toX: number }
  | { type: "select"; fromX: number; toX: number }
  | { type: "hover"; at: Place };

type Mode = "idle" | "pressed" | "pan" | "pinchX" | "pinchY" | "cursor" | "select" | "spent";
interface Finger {
  id: number;
  at: Place;
}
export interface GestureState {
  mode: Mode;
  fingers: readonly Finger[];
  start: Place;
  startMs: number;
  touch: boolean;
  shift: boolean;
  /** The tap before, for the second one of a double tap. */
  tap: { at: Place; timeMs: number } | null;
}

export const HOLD_MS = 500;
const DOUBLE_MS = 350;
const TAP_MS = 400;
/** A finger is never quite still. */
const SLOP_PX = 10;
const MOUSE_SLOP_PX = 4;
const DOUBLE_PX = 32;
/** Fingers closer together than this would zoom by huge factors. */
const PINCH_PX_MIN = 24;

export const IDLE: GestureState = {
  mode: "idle",
  fingers: [],
  start: { x: 0, y: 0 },
  startMs: 0,
  touch: false,
  shift: false,
  tap: null,
};

const distance = (a: Place, b: Place): number => Math.hypot(a.x - b.x, a.y - b.y);

/** How two fingers moved: the zoom of one direction about their middle, and how far the middle went. */
export function pinch(
  before: readonly [Place, Place],
  after: readonly [Place, Place],
  direction: "x" | "y",
): { factor: number; middle: number; moved: number } {
  const wide = ([a, b]: readonly [Place, Place]) =>
    Math.max(PINCH_PX_MIN, Math.abs(a[direction] - b[direction]));
  const middleOf = ([a, b]: readonly [Place, Place]) => (a[direction] + b[direction]) / 2;
  return {
    factor: wide(after) / wide(before),
    middle: middleOf(before),
    moved: middleOf(after) - middleOf(before),
  };
}

/** The zoom of one step of a wheel. Trackpads send many small steps, mice few large ones. */
export const wheelFactor = (deltaY: number): number => Math.exp(-Math.max(-120, Math.min(120, deltaY)) / 400);

interface Step {
  state: GestureState;
  actions: GestureAction[];
}
const stay = (state: GestureState): Step => ({ state, actions: [] });

export function stepGesture(state: GestureState, input: GestureInput): Step {
  switch (input.type) {
    case "down":
      return down(state, input);
    case "move":
      return move(state, input.id, input.at);
    case "up":
      return up(state, input);
    case "cancel":
      // The browser took the finger, for scrolling. What it did so far stands.
      return end({ ...state, fingers: state.fingers.filter((finger) => finger.id !== input.id) });
    case "held":
      if (state.mode !== "pressed" || !state.touch) return stay(state);
      return {
        state: { ...state, mode: "cursor" },
        actions: [{ type: "cursor", at: state.start, fresh: true }],
      };
  }
}

function down(state: GestureState, input: Extract<GestureInput, { type: "down" }>): Step {
  const fingers = [...state.fingers, { id: input.id, at: input.at }];
  if (fingers.length === 1) {
    const { at: start, timeMs: startMs, touch, shift } = input;
    return stay({ ...state, mode: "pressed", fingers, start, startMs, touch, shift });
  }
  if (fingers.length > 2) return stay(state);
  // Which way two fingers zoom is decided by how they lie: side by side time, one above the other the axis.
  const [a, b] = [fingers[0]!.at, fingers[1]!.at];
  const mode = Math.abs(a.x - b.x) >= Math.abs(a.y - b.y) ? "pinchX" : "pinchY";
  return stay({ ...state, mode, fingers, tap: null });
}

function move(state: GestureState, id: number, at: Place): Step {
  const finger = state.fingers.find((one) => one.id === id);
  if (finger === undefined) return { state, actions: [{ type: "hover", at }] };
  const fingers = state.fingers.map((one) => (one.id === id ? { id, at } : one));
  const next = { ...state, fingers };
  switch (state.mode) {
    case "pressed":
      return pressedMove(next, at);
    case "pan":
      return { state: next, actions: [{ type: "pan", dx: at.x - finger.at.x }] };
    case "cursor":
      return { state: next, actions: [{ type: "cursor", at, fresh: false }] };
    case "select":
      return { state: next, actions: [{ type: "selecting", fromX: state.start.x, toX: at.x }] };
    case "pinchX":
    case "pinchY":
      return { state: next, actions: pinchMove(state, next) };
    default:
      return stay(next);
  }
}

function pressedMove(state: GestureState, at: Place): Step {
  const far = distance(state.start, at) > (state.touch ? SLOP_PX : MOUSE_SLOP_PX);
  if (!far) return stay(state);
  if (state.touch || state.shift) {
    return { state: { ...state, mode: "pan" }, actions: [{ type: "pan", dx: at.x - state.start.x }] };
  }
  return {
    state: { ...state, mode: "select" },
    actions: [{ type: "selecting", fromX: state.start.x, toX: at.x }],
  };
}

function pinchMove(before: GestureState, after: GestureState): GestureAction[] {
  const pair = ({ fingers }: GestureState) => [fingers[0]!.at, fingers[1]!.at] as const;
  if (before.mode === "pinchX") {
    const { factor, middle, moved } = pinch(pair(before), pair(after), "x");
    return [{ type: "zoomX", x: middle, factor, dx: moved }];
  }
  const { factor, middle } = pinch(pair(before), pair(after), "y");
  const x = (before.fingers[0]!.at.x + before.fingers[1]!.at.x) / 2;
  return [{ type: "zoomY", at: { x, y: middle }, factor }];
}

function up(state: GestureState, input: Extract<GestureInput, { type: "up" }>): Step {
  const left = { ...state, fingers: state.fingers.filter((finger) => finger.id !== input.id) };
  if (state.mode === "select") {
    return {
      state: { ...left, mode: "idle" },
      actions: [{ type: "select", fromX: state.start.x, toX: input.at.x }],
    };
  }
  const quick = input.timeMs - state.startMs <= TAP_MS;
  if (state.mode !== "pressed" || !quick) return end(left);
  const { tap } = state;
  if (tap !== null && input.timeMs - tap.timeMs <= DOUBLE_MS && distance(tap.at, input.at) <= DOUBLE_PX) {
    return { state: { ...left, mode: "idle", tap: null }, actions: [{ type: "back" }] };
  }
  return {
    state: { ...left, mode: "idle", tap: { at: input.at, timeMs: input.timeMs } },
    actions: [{ type: "tap", at: input.at, touch: state.touch }],
  };
}

/** After a pinch the finger that stays does nothing: it would jump. */
function end(state: GestureState): Step {
  const moved = state.mode === "pan" || state.mode === "pinchX" || state.mode === "pinchY";
  const mode = state.fingers.length === 0 ? "idle" : "spent";
  return { state: { ...state, mode }, actions: moved ? [{ type: "settled" }] : [] };
}
