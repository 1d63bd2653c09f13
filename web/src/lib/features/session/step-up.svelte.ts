/** "Is it still you?": requests that need a fresh answer wait for one, together. */
export class StepUp {
  /** True while the question stands on the screen. */
  asking = $state(false);
  #waiting: Promise<boolean> | null = null;
  #answer: (isIt: boolean) => void = () => {};

  ask(): Promise<boolean> {
    this.#waiting ??= new Promise<boolean>((resolve) => {
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
