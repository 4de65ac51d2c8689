// `migrate.ts` stands by itself: it brings all of TypeORM, which only a start and the scripts about the schema need.
export { createPool, type PoolOptions } from './postgres/pool';
export { SplitPool as PoolHalves } from './postgres/split-pool';
export { createStores, type StoreOptions as StoreParts } from './stores';
export { startEmbedded, type EmbeddedPostgres } from './embedded/embedded-postgres';
export { inTransaction } from './postgres/sql';
export { isWritable } from './postgres/is-writable';
export { SecretBox } from './postgres/secret-box';
export { PostgresTyping, type TypingListener } from './notify/postgres-typing';
export { PostgresWake, type PostgresWakeOptions, type WakeListener } from './notify/postgres-wake';
