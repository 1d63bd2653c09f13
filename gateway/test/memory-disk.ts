import type { FrameStore, OutboxDisk } from "../src/outbox/frame-store.ts";
import {
  copyImage,
  emptyImage,
  type MemoryFaults,
  type MemoryImage,
  MemoryStore,
} from "../src/outbox/memory-store.ts";

/** A folder without files: survives the engines opened on it, can be copied as a backup and be full. */
export class MemoryDisk implements OutboxDisk {
  image: MemoryImage | null = null;
  epochMarker = 0;
  ballast = false;
  faults: MemoryFaults = { isFull: () => false };

  hasStore(): boolean {
    return this.image !== null;
  }

  marker(): number {
    return this.epochMarker;
  }

  writeMarker(epoch: number): void {
    this.epochMarker = epoch;
  }

  open(_bytesQuota: number, epochOfNew: number): FrameStore {
    this.image ??= emptyImage(epochOfNew);
    return new MemoryStore(this.image, { isFull: (bytes) => this.faults.isFull(bytes) });
  }

  setAside(): string {
    this.image = null;
    return "aside";
  }

  salvage(): null {
    return null;
  }

  makeBallast(): boolean {
    this.ballast = true;
    return true;
  }

  dropBallast(): boolean {
    const had = this.ballast;
    this.ballast = false;
    return had;
  }

  /** The disk as a backup would bring it back. */
  copy(): MemoryDisk {
    const disk = new MemoryDisk();
    disk.image = this.image === null ? null : copyImage(this.image);
    disk.epochMarker = this.epochMarker;
    return disk;
  }
}
