import { ToyProvider, toyDefinition } from '../../toy-provider';

/** Wrong on purpose: a verb that is not declared is accepted and does nothing. */
class SwallowsPriorities extends ToyProvider {
  protected override refusePriority(): void {}
}

export const provider = toyDefinition('swallows-priorities', () => new SwallowsPriorities());
