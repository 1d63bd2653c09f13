import type { Clock } from "@millrace/contract/std/clock";
import {
  type GestureAction,
  type GestureInput,
  HOLD_MS,
  IDLE,
  stepGesture,
  wheelFactor,
} from "./gestures.ts";

/** Feeds an element's pointer events to the gesture machine until the returned function is called. */
export function attachGestures(
  element: HTMLElement,
  clock: Clock,
  perform: (action: GestureAction) => void,
): () => void {
  let state = IDLE;
  let cancelHold = () => {};
  const feed = (input: GestureInput) => {
    const step = stepGesture(state, input);
    state = step.state;
    for (const action of step.actions) perform(action);
  };
  const place = (event: MouseEvent) => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    const touch = event.pointerType !== "mouse";
    const { pointerId: id, shiftKey: shift } = event;
    feed({ type: "down", id, at: place(event), timeMs: clock.monoMs(), touch, shift });
    cancelHold();
    if (touch) cancelHold = clock.after(HOLD_MS, () => feed({ type: "held" }));
  };
  const move = (event: PointerEvent) => feed({ type: "move", id: event.pointerId, at: place(event) });
  const up = (event: PointerEvent) => {
    cancelHold();
    feed({ type: "up", id: event.pointerId, at: place(event), timeMs: clock.monoMs() });
  };
  const cancel = (event: PointerEvent) => {
    cancelHold();
    feed({ type: "cancel", id: event.pointerId });
  };
  const wheel = (event: WheelEvent) => {
    // Ctrl + wheel is the browser's own zoom, sideways wheels are pans.
    if (event.ctrlKey) return;
    event.preventDefault();
    const sideways = event.shiftKey ? event.deltaY : event.deltaX;
    if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY))
      perform({ type: "pan", dx: -sideways });
    else perform({ type: "zoomX", x: place(event).x, factor: wheelFactor(event.deltaY), dx: 0 });
  };
  // `touch-action: pan-y` leaves the browser the right to scroll with two fingers too; those are ours.
  const twoFingers = (event: TouchEvent) => {
    if ((event.touches.length > 1 || state.mode === "cursor") && event.cancelable) event.preventDefault();
  };
  const noMenu = (event: Event) => {
    if (state.fingers.length > 0 && state.touch) event.preventDefault();
  };
  const ended = new AbortController();
  const { signal } = ended;
  const active = { signal, passive: false };
  element.addEventListener("pointerdown", down, { signal });
  element.addEventListener("pointermove", move, { signal });
  element.addEventListener("pointerup", up, { signal });
  element.addEventListener("pointercancel", cancel, { signal });
  element.addEventListener("contextmenu", noMenu, { signal });
  element.addEventListener("wheel", wheel, active);
  element.addEventListener("touchstart", twoFingers, active);
  element.addEventListener("touchmove", twoFingers, active);
  return () => {
    cancelHold();
    ended.abort();
  };
}
