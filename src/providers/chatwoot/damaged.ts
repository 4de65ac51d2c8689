import { ProviderUnavailableError } from '../../core/errors';
import type { Connection } from './connection';
import { failureOf, isCrash } from './errors';

/**
 * Way out of a conversation that Chatwoot cannot show (CONTRACT 2.2): while the row is the newest one, the account's lists fail for every
 * agent; its history fails for good.
 */
export const remedyFor = (conversation: string): string =>
  `Post any message in conversation ${conversation}, so that the lists of conversations work again; then let an administrator delete conversation ${conversation}. The session goes on in a new one.`;

/**
 * Reads something of one conversation. Where Chatwoot itself fails at it and answers for the rest of the account, the error says that
 * only this conversation fails. Costs one more call, and only then.
 */
export async function readInConversation({ user, account }: Pick<Connection, 'user' | 'account'>, path: string, signal: AbortSignal): Promise<unknown> {
  const call = { method: 'GET', path } as const;
  const answer = await user.answer(call, [500], signal);
  if (answer.status !== 500) return answer.body === 'notJson' ? undefined : answer.body.json;
  const failure = failureOf(answer, { ...call, path: path.split('?')[0]!, caller: user.caller, writes: false });
  if (!isCrash(answer) || !(await answers({ user, account }, signal))) throw failure;
  const conversation = /\/conversations\/(\d+)/.exec(path)?.[1] ?? '';
  throw new ProviderUnavailableError(`${failure.message} Everything else of the account answers: most likely a file in conversation ${conversation} has a blank name. ${remedyFor(conversation)}`, { onlyHere: true });
}

/** Agents are shown with their presence, as conversations are: with Postgres or Redis away, this fails too. */
const answers = ({ user, account }: Pick<Connection, 'user' | 'account'>, signal: AbortSignal): Promise<boolean> =>
  user.answer({ method: 'GET', path: `${account}/agents` }, [], signal).then(() => true, () => false);
