import { CALLER_ROLES, type Caller, type CallerRole } from '../core/caller';
import { AccessError, NoOrganizationError } from '../core/request-errors';
import type { IdentityValues } from './identity-values';

const MAX_LENGTH = 200;

/**
 * Validates an id from a trusted sender. Refuses commas: Node joins repeated headers with a comma, and one of them may
 * come from a client of that sender.
 */
export function idClaim(name: string, value: unknown): string | null {
  if (value === undefined || value === null || value === '') return null;
  if (typeof value === 'string' && value.length <= MAX_LENGTH && /^[^\p{Cc},]+$/u.test(value)) return value;
  throw new AccessError('FORBIDDEN', `${name} must be one id of at most ${MAX_LENGTH} characters, without commas.`);
}

export function roleClaim(name: string, value: unknown): CallerRole | null {
  if (value === undefined || value === null || value === '') return null;
  const role = CALLER_ROLES.find(known => known === value);
  if (role !== undefined) return role;
  throw new AccessError('FORBIDDEN', `${name} must be one of ${CALLER_ROLES.join(', ')}.`);
}

/** Returns the caller that identity headers describe. Call it only if their sender is trusted. */
export function callerOfHeaders(
  values: IdentityValues,
  fallback: { organizationId: string | null; role: CallerRole },
): Caller {
  const organizationId = idClaim('x-organization-id', values['x-organization-id']) ?? fallback.organizationId;
  const role = roleClaim('x-support-role', values['x-support-role']) ?? fallback.role;
  if (organizationId === null)
    throw new NoOrganizationError(
      role,
      'x-organization-id is missing. Set it to the organization for which the call is made.',
    );
  return {
    organizationId,
    role,
    userId: idClaim('x-user-id', values['x-user-id']),
  };
}
