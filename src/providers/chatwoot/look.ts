import { OutcomeUnknownError, ProviderRefusedError } from '../../core/errors';

/** A look for what an earlier try may have written. @throws OutcomeUnknownError when it is refused: that leaves us as wise as before */
export async function lookFor<T>(what: string, look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (cause) {
    if (!(cause instanceof ProviderRefusedError) || cause.gone) throw cause;
    throw new OutcomeUnknownError(`Chatwoot does not let us see whether ${what} was stored by an earlier try. Look there, then send it again or discard it. (${cause.message})`, { cause });
  }
}
