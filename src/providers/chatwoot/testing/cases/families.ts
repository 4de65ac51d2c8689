import { noise } from './noise';
import { runCase, type RecordedCase } from './run-case';
import { signed } from './signed';
import { states } from './states';
import { surveys } from './surveys';
import { agentWords, otherWords } from './words';

export const FAMILIES: Readonly<Record<string, readonly RecordedCase[]>> = {
  'what agents say': agentWords,
  'what nobody said': otherWords,
  surveys,
  'what is done with a conversation': states,
  noise,
  signed,
};

/** A file for each family, which run at the same time. */
export const describeFamily = (name: keyof typeof FAMILIES): void =>
  describe(name, () => {
    it.each(FAMILIES[name]!.map(one => [`${one.file}: ${one.effectName}`, one] as const))('%s', (_name, one) =>
      runCase(one),
    );
  });
