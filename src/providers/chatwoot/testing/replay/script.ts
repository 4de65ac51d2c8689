import type { PlayOptions, Replay } from './replay';

/** One step of a script: a preparation, or a recording to replay. */
export type Step =
  | { prepare: (theatre: Replay) => unknown }
  | { play: string; options: (theatre: Replay) => PlayOptions; then?: (theatre: Replay, answer: never) => unknown };

export const prepare = (run: (theatre: Replay) => unknown): Step => ({ prepare: run });

/**
 * Replays `<name>.json`. `options` may depend on values that earlier steps kept; `then` gets the response and may keep
 * values.
 */
export function play(
  name: string,
  options: PlayOptions | ((theatre: Replay) => PlayOptions) = {},
  then?: (theatre: Replay, answer: any) => unknown,
): Step {
  return {
    play: `${name}.json`,
    options: typeof options === 'function' ? options : () => options,
    ...(then ? { then } : {}),
  };
}

export const playedIn = (script: Step[]): string[] => script.flatMap(step => ('play' in step ? [step.play] : []));
