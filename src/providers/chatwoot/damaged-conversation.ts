import { ProviderUnavailableError } from '../../core/errors';
import type { Connection } from './connection';
import { errorForResponse, isServerCrash } from './errors';

/**
 * Returns the steps that repair a conversation that Chatwoot cannot show (CONTRACT 2.2). While the damaged row is the
 * account's newest, lists fail for every agent; the conversation's history fails for good.
 */
export const recoverySteps = (conversation: string): string =>
  `Post any message in conversation ${conversation}, so that the lists of conversations work again; then let an administrator delete conversation ${conversation}. The session continues in a new one.`;

/**
 * Reads something of one conversation. If Chatwoot crashes at it and still works for the rest of the account, the error
 * says that only this conversation fails (`onlyHere`). Makes one more call, only after a crash.
 */
export async function readInConversation(
  { user, account }: Pick<Connection, 'user' | 'account'>,
  path: string,
  signal: AbortSignal,
): Promise<unknown> {
  const call = { method: 'GET', path } as const;
  const answer = await user.request(call, [500], signal);
  if (answer.status !== 500) return answer.body === 'notJson' ? undefined : answer.body.json;
  const failure = errorForResponse(answer, { ...call, path: path.split('?')[0]!, caller: user.caller, isWrite: false });
  if (!isServerCrash(answer) || !(await isAccountReadable({ user, account }, signal))) throw failure;
  const conversation = /\/conversations\/(\d+)/.exec(path)?.[1] ?? '';
  throw new ProviderUnavailableError(
    `${failure.message} The rest of the account works, so most likely a file in conversation ${conversation} has a blank name. ${recoverySteps(conversation)}`,
    { isConversationOnly: true },
  );
}

/**
 * Returns whether the account works. The list of agents contains their presence, as conversations do, so it also fails
 * without Postgres or Redis.
 */
const isAccountReadable = (
  { user, account }: Pick<Connection, 'user' | 'account'>,
  signal: AbortSignal,
): Promise<boolean> =>
  user.request({ method: 'GET', path: `${account}/agents` }, [], signal).then(
    () => true,
    () => false,
  );
