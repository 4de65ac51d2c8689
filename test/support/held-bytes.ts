import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Returns the bytes of live buffers outside V8's heap. */
function heldBytes(): number {
  // The first collection frees some buffers asynchronously; the second waits for that.
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

/** Measures the maximum of live bytes above the start, over all measurements. */
export class HeldSince {
  most = 0;
  looks = 0;

  private constructor(private readonly start: number) {}

  /** Starts once the bytes of earlier work are freed. */
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
