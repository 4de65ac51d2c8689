import type { BothStage, Where } from './both-stage';

/** One group of recordings of both versions, with what it needs; each stands by itself. */
export type BothAct = (stage: BothStage) => Promise<unknown>;

/** Plays recordings whose names begin alike, in the same place. */
export const each = async (stage: BothStage, prefix: string, names: readonly string[], where: Where = {}) => {
  for (const name of names) await stage.play(`${prefix}${name}`, where);
};
