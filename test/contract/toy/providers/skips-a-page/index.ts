import type { ObservationPage } from '../../../../../src/core/ports/provider/observation';
import type { ToyMessage } from '../../far-side';
import { ToyProvider, toyDefinition } from '../../toy-provider';

/** Wrong on purpose: after a full page it reports that there is no more, and moves its cursor to the end. */
class SkipsAPage extends ToyProvider {
  protected override page(unread: readonly ToyMessage[], after: string | null): ObservationPage {
    return { ...super.page(unread, after), after: unread.at(-1)?.id.toString() ?? after, hasMore: false };
  }
}

export const provider = toyDefinition('skips-a-page', () => new SkipsAPage());
