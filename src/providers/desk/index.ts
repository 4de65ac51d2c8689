import type { ProviderDefinition } from '../../core/ports/provider/definition';
import { createRoutes } from './api/routes';
import { DeskProvider } from './provider';
import { parseSettings } from './settings';

/** The built-in support system. */
export const desk: ProviderDefinition = {
  name: 'desk',
  title: 'Built-in desk: a page and an API in this process, with its own tables in the same Postgres',
  parseSettings,
  create: host => new DeskProvider(host),
  routes: createRoutes,
  // The page itself holds no data, and a file's address contains its unguessable token, so both are served without
  // identity. Browsers can then show a file on any page that links to it.
  isOpen: path => !path.startsWith('/api/'),
  agentPage: '/',
  example: {
    owners: [{ name: 'Olivia Owner', email: 'olivia@example.org' }],
    settings: {
      agents: [
        { name: 'Alice Agent', email: 'alice@example.org' },
        { name: 'Bob Billing', email: 'bob@example.org' },
        { name: 'Carol Care', email: 'carol@example.org' },
      ],
      teams: [{ name: 'support' }, { name: 'billing', members: ['bob@example.org', 'alice@example.org'] }],
    },
  },
};
