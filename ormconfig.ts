import { DataSource } from 'typeorm';
import { dataSourceOptions } from './src/persistence/data-source';

/** For TypeORM's command line, e.g. `typeorm-ts-node-commonjs migration:generate -d ormconfig.ts migrations/AddThing`. */
export default new DataSource(dataSourceOptions(process.env.DATABASE_URL ?? 'postgres://localhost/support'));
