import { ToyProvider, toyDefinition } from '../../toy-provider';

/** Wrong on purpose: a message that was posted before is posted again. */
class PostsTwice extends ToyProvider {
  protected override earlier(): undefined {
    return undefined;
  }
}

export const provider = toyDefinition('posts-twice', () => new PostsTwice());
