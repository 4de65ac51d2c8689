import type { ServerResponse } from 'node:http';
import { everyTimer, type Every } from './bodies';

/** Files are written in chunks of 64 KiB: whoever takes none of them for so long reads with less than 1 KiB a second. Milliseconds. */
const CHECK_MS = 60_000;

/** Cuts an answer off whose reader takes next to nothing of it, so that its place is free for others. @returns what ends the watch */
export function watchReader(response: ServerResponse, every: Every = everyTimer): () => void {
  let taken = -1;
  const stop = every(CHECK_MS, () => {
    const now = response.socket?.bytesWritten ?? 0;
    // What does not fit into the network's buffers waits here: only then the reader is the slow one.
    if (response.writableNeedDrain && now === taken) response.destroy();
    taken = now;
  });
  response.once('close', stop);
  return stop;
}
