export { createPool, type PoolOptions } from './pool';
export { createStores, type StoreParts } from './stores';
export { migrate, revertAll, schemaDrift } from './migrate';
export { startEmbedded, type EmbeddedPostgres } from './embedded-postgres';
export { inTransaction } from './sql';
export { takesWrites } from './takes-writes';
export { SecretBox } from './secret-box';
export { PostgresTyping, type TypingListener } from './postgres-typing';
export { PostgresWake, type PostgresWakeOptions, type WakeListener } from './postgres-wake';
