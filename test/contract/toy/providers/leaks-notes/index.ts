import type { ToyMessage } from '../../far-side';
import { ToyProvider, toyDefinition } from '../../toy-provider';

/** Wrong on purpose: it reports agents' notes as messages for the end-user. */
class LeaksNotes extends ToyProvider {
  protected override observe(message: ToyMessage) {
    return super.observe({ ...message, visibility: 'PUBLIC' });
  }
}

export const provider = toyDefinition('leaks-notes', () => new LeaksNotes());
