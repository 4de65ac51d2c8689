import { RequestRefusedError } from '../operation/errors';

/**
 * Routers and Apollo's clients recognize exactly this message, then send the full query and no further persisted ones.
 */
export const PERSISTED_QUERY_NOT_SUPPORTED = new RequestRefusedError(
  'PERSISTED_QUERY_NOT_SUPPORTED',
  'PersistedQueryNotSupported',
);
