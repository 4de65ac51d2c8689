import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes of buffers, outside of V8's own heap, that somebody still holds. */
function heldBytes(): number {
  // What the first finds is given back behind its back; the second waits for that.
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

/** The most that was held beyond what was held at first, over all looks. */
export class HeldSince {
  most = 0;
  looks = 0;

  private constructor(private readonly start: number) {}

  /** When what earlier work has left is given back. */
  static async now(): Promise<HeldSince> {
    for (let held = heldBytes(); ;) {
      await setTimeout(20);
      const later = heldBytes();
      if (later >= held) return new HeldSince(later);
      held = later;
    }
  }

  look(): void {
    this.looks += 1;
    this.most = Math.max(this.most, heldBytes() - this.start);
  }
}
