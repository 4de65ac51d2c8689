import type { App } from './app';
import type { Config } from './config';

/** What a person reads after the start: where things are and what to try. */
export function welcome(app: Pick<App, 'url' | 'embeddedIn'>, config: Pick<Config, 'example' | 'hasIdentity'>): string {
  const lines = [
    '',
    `  Support subgraph   ${app.url}/graphql   (queries, mutations, SSE; WebSocket also on /ws)`,
    `  Health             ${app.url}/livez   ${app.url}/readyz`,
    `  Database           ${app.embeddedIn === null ? 'DATABASE_URL' : `embedded Postgres, kept in ${app.embeddedIn}`}`,
    ...(config.hasIdentity ? [] : ['  Callers            this machine only: nothing about identity is configured (docs/settings.md)']),
    ...(config.example ? [
      '',
      `  Open ${app.url}/ and play both sides in one window:`,
      '    1. left, chat with the example bot; then write "I want to talk to a person"',
      '    2. right, the handoff appears before the agents with its history: take it and answer',
      '    3. write both ways, leave a note (it stays inside), then resolve',
      '    4. left, the bot answers again',
      '',
      '  A bot runtime from outside:   npm run example -- --auto-agent',
    ] : []),
    '',
    '  Ctrl+C stops it; everything acknowledged is kept.',
    '', '',
  ];
  return lines.join('\n');
}
