import type { PlayOptions, Theatre } from './theatre';

/** One line of a script: something done to bring the situation about, or a recording played in it. */
export type Step =
  | { prepare: (theatre: Theatre) => unknown }
  | { play: string; options: (theatre: Theatre) => PlayOptions; then?: (theatre: Theatre, answer: never) => unknown };

export const prepare = (run: (theatre: Theatre) => unknown): Step => ({ prepare: run });

/**
 * Plays `<name>.json`. `options` may depend on what earlier steps kept; `then` sees the answer
 * and may keep something itself.
 */
export function play(
  name: string,
  options: PlayOptions | ((theatre: Theatre) => PlayOptions) = {},
  then?: (theatre: Theatre, answer: any) => unknown,
): Step {
  return {
    play: `${name}.json`,
    options: typeof options === 'function' ? options : () => options,
    ...(then ? { then } : {}),
  };
}

export const playedIn = (script: Step[]): string[] => script.flatMap((step) => ('play' in step ? [step.play] : []));
