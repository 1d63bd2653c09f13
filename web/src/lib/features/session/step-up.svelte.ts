import type { WhyShown } from "../../hub/client.ts";

/** "Is it still you?": requests that need a fresh answer wait for one, together. */
export class StepUp {
  /** True while the question stands on the screen. */
  asking = $state(false);
  /** What the question that stands there is for. */
  why: WhyShown = $state("auth.fresh");
  #waiting: Promise<boolean> | null = null;
  #answer: (isIt: boolean) => void = () => {};

  ask(why: WhyShown): Promise<boolean> {
    this.#waiting ??= new Promise<boolean>((resolve) => {
      this.why = why;
      this.asking = true;
      this.#answer = resolve;
    });
    return this.#waiting;
  }

  /** The hub was shown who it is, or the person would rather not. */
  answer(isIt: boolean): void {
    this.asking = false;
    this.#waiting = null;
    this.#answer(isIt);
  }
}
