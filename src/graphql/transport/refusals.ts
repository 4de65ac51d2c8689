import { RequestRefusedError } from '../errors';

/** Routers and Apollo's clients compare this very message, send the whole query, and ask no more. */
export const PERSISTED_QUERY_NOT_SUPPORTED = new RequestRefusedError('PERSISTED_QUERY_NOT_SUPPORTED', 'PersistedQueryNotSupported');
