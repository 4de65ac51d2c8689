import type { LaneDestination } from '../core/delivery';
import { SupportError } from '../core/errors';
import { codeOf } from './retry-policy';

/** The description of a failure for a log line. For the operator, never for tenants. */
export interface LoggedFailure {
  readonly code: string;
  /**
   * The message of our own errors, which never contain message text. For any other error only its class name is safe.
   */
  readonly reason: string;
  /**
   * The system's code of the underlying error, e.g. `ECONNREFUSED`, or that error's class name. Absent without an
   * underlying error.
   */
  readonly cause?: string;
}

const MAX_CAUSES = 5;

/** Describes an error for the log. Called for each log line about failed background work. */
export function describeFailure(error: unknown): LoggedFailure {
  const cause = causeOf(error);
  return {
    code: codeOf(error),
    reason: error instanceof SupportError ? error.message : nameOf(error),
    ...(cause !== null && { cause }),
  };
}

/** Returns the account or endpoint that a lane leads to. */
export const remoteOf = ({
  destination,
  remoteId,
}: {
  readonly destination: LaneDestination;
  readonly remoteId: string;
}): { readonly accountId: string } | { readonly endpointId: string } =>
  destination === 'RUNTIME' ? { endpointId: remoteId } : { accountId: remoteId };

function causeOf(error: unknown): string | null {
  let at = (error as { cause?: unknown } | null)?.cause;
  let found: string | null = null;
  for (let depth = 0; depth < MAX_CAUSES && at instanceof Error; depth++) {
    const { code } = at as { code?: unknown };
    found = typeof code === 'string' && /^\w{1,60}$/.test(code) ? code : nameOf(at);
    at = at.cause;
  }
  return found;
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'unknown');
