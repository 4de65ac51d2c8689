import { randomBytes } from 'node:crypto';
import { migrate } from '../persistence/migrate';
import { readCleanState } from './clean-database';
import { on, onServer, template, urlOf, type Template } from './test-server';

/** Created once per test run, by global-setup. Its name is unique to the run: several runs may share a server. */
export async function buildTemplate(): Promise<void> {
  const name = `support_template_${randomBytes(4).toString('hex')}`;
  const strategy = await onServer(async server => {
    await server.query(`create database ${name} template template0`);
    const {
      rows: [row],
    } = await server.query<{ version: number }>("select current_setting('server_version_num')::int as version");
    // Through the log, which is the default, each clone is written twice. Postgres 14 has only the way through files.
    return row!.version >= 150_000 ? 'strategy file_copy' : '';
  });
  await migrate(urlOf(name));
  const template: Template = { name, strategy, clean: await on(urlOf(name), readCleanState) };
  process.env.TEST_TEMPLATE = JSON.stringify(template);
}

/** Removes the template and its clones, which belong to this run. */
export async function dropTemplate(): Promise<void> {
  const { name } = template();
  await onServer(async server => {
    const { rows } = await server.query<{ datname: string }>(
      'select datname from pg_database where starts_with(datname, $1)',
      [`${name}_`],
    );
    for (const { datname } of [...rows, { datname: name }]) await server.query(`drop database if exists ${datname}`);
  });
}
