import type { ProviderDefinition } from '../core/ports/support-provider';
import { chatwoot } from './chatwoot';
import { desk } from './desk';

/** One line per provider. The contract suite walks this list: a line without a harness fails the tests. */
export const providers: ReadonlyMap<string, ProviderDefinition> = new Map([
  ['chatwoot', chatwoot],
  ['desk', desk],
]);
