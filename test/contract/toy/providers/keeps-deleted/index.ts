import { ToyProvider, toyDefinition } from '../../toy-provider';

/** Wrong on purpose: a deleted message can still be read. */
class KeepsDeleted extends ToyProvider {
  protected override emptied(text: string): string {
    return `${text} (deleted)`;
  }
}

export const provider = toyDefinition('keeps-deleted', () => new KeepsDeleted());
