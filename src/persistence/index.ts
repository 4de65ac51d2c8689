// `migrate.ts` stands by itself: it brings all of TypeORM, which only a start and the scripts about the schema need.
export { createPool, type PoolOptions } from './pool';
export { PoolHalves } from './pool-halves';
export { createStores, type StoreParts } from './stores';
export { startEmbedded, type EmbeddedPostgres } from './embedded-postgres';
export { inTransaction } from './sql';
export { takesWrites } from './takes-writes';
export { SecretBox } from './secret-box';
export { PostgresTyping, type TypingListener } from './postgres-typing';
export { PostgresWake, type PostgresWakeOptions, type WakeListener } from './postgres-wake';
