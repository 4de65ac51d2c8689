import type { App } from './app';
import type { Config } from './config';

/** Returns the lines printed after the start: the URLs, and suggestions for a first run. */
export function renderBanner(
  app: Pick<App, 'url' | 'embeddedDataDir'>,
  config: Pick<Config, 'example' | 'hasIdentity'>,
): string {
  const lines = [
    '',
    `  Support subgraph   ${app.url}/graphql   (queries, mutations, SSE; WebSocket also on /ws)`,
    `  Health             ${app.url}/livez   ${app.url}/readyz`,
    `  Database           ${app.embeddedDataDir === null ? 'DATABASE_URL' : `embedded Postgres, kept in ${app.embeddedDataDir}`}`,
    ...(config.hasIdentity
      ? []
      : ['  Callers            this machine only: no identity is configured (docs/settings.md)']),
    ...(config.example
      ? [
          '',
          `  Open ${app.url}/ and play both sides in one window:`,
          '    1. left: chat with the example bot, then write "I want to talk to a person"',
          '    2. right: the handoff appears for the agents with its history; take it and answer',
          '    3. write in both directions, add a note (agents only), then resolve',
          '    4. left: the bot answers again',
          '',
          '  Run an external bot runtime:   npm run example -- --auto-agent',
        ]
      : []),
    '',
    '  Ctrl+C stops it; everything acknowledged is kept.',
    '',
    '',
  ];
  return lines.join('\n');
}
