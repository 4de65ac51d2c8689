/**
 * Postgres's codes for a statement that failed because of others: a statement timeout, a lock timeout, a deadlock, and
 * a serialization failure. The transaction is rolled back, and the same call may succeed in a moment. This service
 * cancels no statement itself, so 57014 never means the deadline of an operation. Source: PostgreSQL documentation,
 * appendix "Error Codes".
 */
const BUSY_CODES: readonly unknown[] = ['57014', '55P03', '40P01', '40001'];

/** Returns whether the database was too busy to complete a statement. Called where an error leaves this service. */
export const isDatabaseBusy = (error: unknown): boolean =>
  BUSY_CODES.includes((error as { code?: unknown } | null | undefined)?.code);
