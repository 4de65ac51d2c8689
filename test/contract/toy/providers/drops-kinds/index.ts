import type { PostMessage } from '../../../../../src/core/ports/provider/post-verbs';
import { ToyProvider, toyDefinition } from '../../toy-provider';

/** Wrong on purpose: it shows only the text before a kind that it cannot show, and drops that kind. */
class DropsKinds extends ToyProvider {
  override postMessage(request: PostMessage, signal: AbortSignal) {
    const { content, text } = request.message;
    return super.postMessage({ ...request, message: { ...request.message, text: content?.caption ?? text } }, signal);
  }
}

export const provider = toyDefinition('drops-kinds', () => new DropsKinds());
