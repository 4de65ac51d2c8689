/**
 * Postgres's codes for a statement that others were in the way of: a statement timeout, a lock timeout, a deadlock, and a
 * serialization failure. The transaction is rolled back, and the same call may work in a moment. This service cancels no
 * statement itself, so 57014 stands for no limit of an operation. Source: PostgreSQL documentation, appendix "Error Codes".
 */
const BUSY_CODES: readonly unknown[] = ['57014', '55P03', '40P01', '40001'];

/** Whether the database gave a statement up because it was too busy. Asked where an error leaves this service. */
export const isDatabaseBusy = (error: unknown): boolean => BUSY_CODES.includes((error as { code?: unknown } | null | undefined)?.code);
