import { SupportError } from '../core/errors';

/** Exit status for a wrong configuration: EX_CONFIG of sysexits.h. */
export const EXIT_CONFIG = 78;

export interface ConfigProblem {
  readonly key: string;
  /** As given, shortened; `(hidden)` for anything that may be a secret, `(nothing)` when it is absent. */
  readonly given: string;
  readonly expected: string;
  /** A whole line of an environment file or shell that would be right. */
  readonly example: string;
}

/** The service cannot start like this. Lists everything that is wrong, so that one edit can mend it all. */
export class ConfigError extends SupportError {
  readonly code = 'CONFIG_INVALID';
  constructor(readonly problems: readonly ConfigProblem[]) {
    super([
      `${problems.length} ${problems.length === 1 ? 'setting is' : 'settings are'} wrong (docs/settings.md explains each):`,
      ...problems.map(({ key, given, expected, example }) => `\n  ${key}\n    given:    ${given}\n    expected: ${expected}\n    example:  ${example}`),
    ].join('\n'));
  }
}
