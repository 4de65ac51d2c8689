import 'reflect-metadata';
import path from 'node:path';
import type { DataSourceOptions } from 'typeorm';
import { ReadableNames } from './readable-names';
import { TIME_LIMITS } from '../time-limits';

/**
 * A provider that keeps tables of its own brings entities and migrations in its folder. Works from source and from
 * dist.
 */
const providerFolders = (...parts: string[]): string =>
  path.join(__dirname, '..', '..', ...parts).replaceAll('\\', '/');

export const dataSourceOptions = (url: string, extra: Partial<DataSourceOptions> = {}): DataSourceOptions =>
  ({
    type: 'postgres',
    url,
    entities: [
      providerFolders('src/persistence/entities/*.{ts,js}'),
      providerFolders('src/providers/*/entities.{ts,js}'),
    ],
    migrations: [providerFolders('migrations/*.{ts,js}'), providerFolders('src/providers/*/migrations/*.{ts,js}')],
    migrationsTableName: 'support_migration',
    migrationsTransactionMode: 'each',
    namingStrategy: new ReadableNames(),
    applicationName: 'support-migrate',
    poolSize: 2,
    connectTimeoutMS: TIME_LIMITS.database.migrationConnectMs,
    logging: ['error'],
    ...extra,
  }) as DataSourceOptions;
