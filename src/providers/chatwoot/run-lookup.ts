import { OutcomeUnknownError, ProviderRefusedError } from '../../core/errors';

/**
 * Runs a lookup of a write that an earlier attempt may have made.
 * @throws OutcomeUnknownError if Chatwoot refuses the lookup, because the outcome stays unknown
 */
export async function runLookup<T>(what: string, look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (cause) {
    if (!(cause instanceof ProviderRefusedError) || cause.gone) throw cause;
    throw new OutcomeUnknownError(
      `Chatwoot refused the lookup of ${what}, so it is unknown whether an earlier attempt stored it. Check in Chatwoot, then resend or discard it. (${cause.message})`,
      { cause },
    );
  }
}
