import { ToyProvider, toyDefinition } from '../../toy-provider';

/** Wrong on purpose: it accepts a verb that it does not declare, and does nothing. */
class SwallowsPriorities extends ToyProvider {
  protected override refusePriority(): void {}
}

export const provider = toyDefinition('swallows-priorities', () => new SwallowsPriorities());
