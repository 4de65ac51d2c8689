import type { ProviderDefinition } from '../core/ports/provider/definition';
import { chatwoot } from './chatwoot';
import { desk } from './desk';

/**
 * Lists the registered providers, one per line. The contract suite walks this list; a provider without a harness fails
 * the tests.
 */
export const providers: ReadonlyMap<string, ProviderDefinition> = new Map([
  ['chatwoot', chatwoot],
  ['desk', desk],
]);
