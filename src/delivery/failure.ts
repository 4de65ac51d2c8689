import type { LaneDestination } from '../core/delivery';
import { SupportError } from '../core/errors';
import { codeOf } from './retry-policy';

/** What a log line may say of a failure: for the operator, never for tenants. */
export interface LoggedFailure {
  readonly code: string;
  /** Our own errors name things and steps, never what people said; of any other only the class is known to be safe. */
  readonly reason: string;
  /** The system's own code of what went wrong below, e.g. `ECONNREFUSED`, or its class. Absent where nothing is below. */
  readonly cause?: string;
}

const MOST_CAUSES = 5;

/** Called for each line about work in the background that failed. */
export function failureOf(error: unknown): LoggedFailure {
  const cause = causeOf(error);
  return { code: codeOf(error), reason: error instanceof SupportError ? error.message : nameOf(error), ...(cause !== null && { cause }) };
}

/** Which account or endpoint a lane leads to. */
export const remoteOf = ({ destination, farSideId }: { readonly destination: LaneDestination; readonly farSideId: string }): { readonly accountId: string } | { readonly endpointId: string } =>
  (destination === 'RUNTIME' ? { endpointId: farSideId } : { accountId: farSideId });

function causeOf(error: unknown): string | null {
  let at = (error as { cause?: unknown } | null)?.cause;
  let found: string | null = null;
  for (let depth = 0; depth < MOST_CAUSES && at instanceof Error; depth++) {
    const { code } = at as { code?: unknown };
    found = typeof code === 'string' && /^\w{1,60}$/.test(code) ? code : nameOf(at);
    at = at.cause;
  }
  return found;
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'unknown');
