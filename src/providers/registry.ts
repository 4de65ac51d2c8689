import type { ProviderDefinition } from '../core/ports/support-provider';
import { desk } from './desk';

/** One line per provider. The contract suite walks this list: a line without a harness fails the tests. */
export const providers: ReadonlyMap<string, ProviderDefinition> = new Map([
  ['desk', desk],
]);
