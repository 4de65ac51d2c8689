import type { OrganizationId } from '../../ids';

/** The scope of every flow: the caller's organization. A foreign id is treated as an unknown one. */
export interface Scope {
  readonly organizationId: OrganizationId;
}

/**
 * Part of every runtime mutation. The same key with the same input returns the same result, with `replayed` set. 1 to
 * 200 characters.
 */
export interface WithIdempotencyKey {
  readonly idempotencyKey: string;
}
