import type { ProviderDefinition } from '../../../src/core/ports/provider/definition';
import { provider as dropsKinds } from './providers/drops-kinds';
import { provider as forgetsAtRestart } from './providers/forgets-at-restart';
import { provider as keepsDeleted } from './providers/keeps-deleted';
import { provider as leaksNotes } from './providers/leaks-notes';
import { provider as noHarness } from './providers/no-harness';
import { provider as postsTwice } from './providers/posts-twice';
import { provider as skipsAPage } from './providers/skips-a-page';
import { provider as swallowsPriorities } from './providers/swallows-priorities';
import { provider as toy } from './providers/toy';

export const providers: ReadonlyMap<string, ProviderDefinition> = new Map([
  ['toy', toy],
  ['drops-kinds', dropsKinds],
  ['forgets-at-restart', forgetsAtRestart],
  ['keeps-deleted', keepsDeleted],
  ['leaks-notes', leaksNotes],
  ['no-harness', noHarness],
  ['posts-twice', postsTwice],
  ['skips-a-page', skipsAPage],
  ['swallows-priorities', swallowsPriorities],
]);
