import type { Flows } from './core/flows/api';
import type { SetupStore } from './core/ports/stores';
import type { ProviderDefinition } from './core/ports/provider/definition';

/** The organization of a first run, and of callers without credentials while no identity is configured. */
export const EXAMPLE_ORGANIZATION = 'org-example';

export const EXAMPLE_CHATBOTS = [
  { id: 'chatbot-orders', name: 'Order helper' },
  { id: 'chatbot-travel', name: 'Travel helper' },
] as const;

/** Sets up the example organization at the provider that defines one. Safe at every start and on every replica. */
export async function seedExample(
  flows: Flows,
  setup: SetupStore,
  definitions: Iterable<ProviderDefinition>,
): Promise<void> {
  const scope = { organizationId: EXAMPLE_ORGANIZATION };
  const definition = [...definitions].find(candidate => candidate.example !== undefined);
  if (definition?.example === undefined) return;
  const known = (await setup.listAccounts(EXAMPLE_ORGANIZATION)).find(account => account.provider === definition.name);
  if (known?.state !== 'READY')
    await flows.enableSupport(scope, {
      provider: definition.name,
      name: 'Example organization',
      baseUrl: null,
      credentials: {},
      ...definition.example,
    });
  for (const { id, name } of EXAMPLE_CHATBOTS)
    if ((await setup.findInboxByChatbot(EXAMPLE_ORGANIZATION, id))?.state !== 'READY')
      await flows.enableChatbot(scope, { chatbotId: id, name, accountId: null, policy: {} });
}
