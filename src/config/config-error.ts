import { SupportError } from '../core/errors';

/** Exit status for a wrong configuration: EX_CONFIG of sysexits.h. */
export const EXIT_CONFIG = 78;

export interface ConfigProblem {
  readonly key: string;
  /** The value as given, shortened; `(hidden)` for a possible secret, `(nothing)` if it is absent. */
  readonly given: string;
  readonly expected: string;
  /** A complete line of an environment file or shell that would be valid. */
  readonly example: string;
}

/** The settings are invalid, so the service cannot start. Lists all problems, so that one edit can correct them. */
export class ConfigError extends SupportError {
  readonly code = 'CONFIG_INVALID';
  constructor(readonly problems: readonly ConfigProblem[]) {
    super(
      [
        `${problems.length} ${problems.length === 1 ? 'setting is' : 'settings are'} wrong (docs/settings.md explains each):`,
        ...problems.map(
          ({ key, given, expected, example }) =>
            `\n  ${key}\n    given:    ${given}\n    expected: ${expected}\n    example:  ${example}`,
        ),
      ].join('\n'),
    );
  }
}
