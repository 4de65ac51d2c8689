import type { ToyMessage } from '../../far-side';
import { ToyProvider, toyDefinition } from '../../toy-provider';

/** Wrong on purpose: what agents write among themselves is read as words for the end-user. */
class LeaksNotes extends ToyProvider {
  protected override observe(message: ToyMessage) {
    return super.observe({ ...message, visibility: 'PUBLIC' });
  }
}

export const provider = toyDefinition('leaks-notes', () => new LeaksNotes());
