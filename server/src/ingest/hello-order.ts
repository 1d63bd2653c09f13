/**
 * In which order sockets were opened, and for each gateway the last of them with a hello that proved to be its own. A hello
 * that was checked slowly, or whose line was slow, may be judged after a younger one of the same gateway: its session
 * number is lower then, and its marks are older, as if an old image of the machine knocked. But an old image opens a
 * socket of its own, after the last.
 */
export class HelloOrder {
  #opened = 0;
  /** One entry a gateway that ever proved itself to this process. */
  readonly #proven = new Map<string, number>();

  opened(): number {
    return ++this.#opened;
  }

  proven(gatewayId: string, no: number): void {
    this.#proven.set(gatewayId, Math.max(no, this.#proven.get(gatewayId) ?? 0));
  }

  isOvertaken(gatewayId: string, no: number): boolean {
    return no < (this.#proven.get(gatewayId) ?? 0);
  }
}
