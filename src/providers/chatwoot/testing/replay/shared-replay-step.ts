import type { SharedReplay, Where } from './shared-replay';

/** One group of recordings of both versions with its preparation, independent of other groups. */
export type SharedReplayStep = (stage: SharedReplay) => Promise<unknown>;

/** Replays recordings whose names share a prefix, with the same replacements. */
export const each = async (stage: SharedReplay, prefix: string, names: readonly string[], where: Where = {}) => {
  for (const name of names) await stage.play(`${prefix}${name}`, where);
};
