import { ToyProvider, toyDefinition } from '../../toy-provider';

/** Wrong on purpose: it posts a message again that was posted before. */
class PostsTwice extends ToyProvider {
  protected override earlier(): undefined {
    return undefined;
  }
}

export const provider = toyDefinition('posts-twice', () => new PostsTwice());
