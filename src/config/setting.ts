import type { z } from 'zod';
import { wholeNumber } from './values';

export interface Setting<T = unknown> {
  readonly schema: z.ZodType<T, string>;
  /** In an operator's notation; null: the absence of the setting has a meaning, see docs/settings.md. */
  readonly default: string | null;
  readonly expected: string;
  readonly example: string;
  /** True if the value is hidden in errors and listings, valid or not. */
  readonly isSecret?: true;
}

export const define = <T>(setting: Setting<T>): Setting<T> => setting;
export const seconds = (fallback: string, max: number) =>
  define({
    schema: wholeNumber(1, max),
    default: fallback,
    expected: `whole seconds from 1 to ${max}`,
    example: fallback,
  });
export const days = (fallback: string, min = 1) =>
  define({
    schema: wholeNumber(min, 36_500),
    default: fallback,
    expected: `whole days from ${min} to 36500`,
    example: fallback,
  });
export const bytes = (fallback: string, min: number) =>
  define({
    schema: wholeNumber(min, 100_000_000),
    default: fallback,
    expected: `whole bytes from ${min} to 100000000`,
    example: fallback,
  });

export const fileBytes = (fallback: string) =>
  define({
    schema: wholeNumber(1_024, 5_000_000_000),
    default: fallback,
    expected: 'whole bytes from 1024 to 5000000000',
    example: fallback,
  });
