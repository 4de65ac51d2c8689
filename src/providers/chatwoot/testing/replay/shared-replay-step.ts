import type { SharedReplay, Where } from './shared-replay';

/** One group of recordings of both versions with its preparation, independent of other groups. */
export type SharedReplayStep = (replay: SharedReplay) => Promise<unknown>;

/** Replays recordings whose names share a prefix, with the same replacements. */
export const each = async (replay: SharedReplay, prefix: string, names: readonly string[], where: Where = {}) => {
  for (const name of names) await replay.play(`${prefix}${name}`, where);
};
