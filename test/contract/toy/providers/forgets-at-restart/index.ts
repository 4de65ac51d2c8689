import type { ToyMessage } from '../../far-side';
import { ToyProvider, toyDefinition } from '../../toy-provider';

/** Wrong on purpose: it knows its posts from memory only, which a restart empties. */
class ForgetsAtRestart extends ToyProvider {
  private readonly posted = new Set<string>();

  protected override earlier(messages: readonly ToyMessage[], ourId: string, mayExist: boolean): string | undefined {
    const known = this.posted.has(ourId);
    this.posted.add(ourId);
    return known ? super.earlier(messages, ourId, mayExist) : undefined;
  }
}

export const provider = toyDefinition('forgets-at-restart', () => new ForgetsAtRestart());
