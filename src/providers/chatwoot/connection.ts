import { ProviderAuthError, ProviderRefusedError } from '../../core/errors';
import type { AccountAccess, ProviderHost } from '../../core/ports/support-provider';
import { ChatwootClient } from './client';
import type { Caller } from './errors';
import type { FetchFor } from './pace';
import { baseUrlOf, botUserOf, requestMsOf, settingsOf, type ChatwootSettings } from './settings';

/** One account that is set up, with the two identities we have in it. */
export interface Connection {
  /** BotAgent1 (or the administrator whose token was given): sets up and reads. */
  readonly user: ChatwootClient;
  /**
   * The AgentBot: does everything to conversations. It cannot be demoted, what it says is not counted as a person's
   * reply, and a conversation that it opens is not assigned to it (an agent-role user's would be).
   */
  readonly bot: ChatwootClient;
  /** Nobody: what end-users do themselves, by the public API. */
  readonly endUser: ChatwootClient;
  readonly settings: ChatwootSettings;
  /** Whose doings are never a person's, see botUserOf. */
  readonly botUserId: number | undefined;
  /** Path of the account's API. */
  readonly account: string;
  conversation(id: string): string;
}

export type Connect = (access: AccountAccess) => Connection;

/** What the process lends, with requests only at the pace of servers and accounts. */
export type ChatwootHost = Omit<ProviderHost, 'fetch'> & { readonly fetchFor: FetchFor };

export const connector = (host: ChatwootHost): Connect => (access) => {
  const { botToken, adminToken, agentBotToken } = access.credentials;
  const userToken = botToken ?? adminToken;
  if (!access.externalId || !userToken || !agentBotToken)
    throw new ProviderAuthError('This Chatwoot account is not set up to its end. Enable support for the organization again: it goes on where it stopped.');
  const account = `/api/v1/accounts/${numberOf(access.externalId, 'account')}`;
  return {
    user: clientFor(host, access, userToken, botToken ? 'botAgent' : 'administrator'),
    bot: clientFor(host, access, agentBotToken, 'agentBot'),
    endUser: clientFor(host, access, null, 'nobody'),
    settings: settingsOf(access),
    botUserId: botUserOf(access),
    account,
    conversation: (id) => `${account}/conversations/${numberOf(id, 'conversation')}`,
  };
};

export const clientFor = (host: Pick<ChatwootHost, 'fetchFor'>, access: AccountAccess, token: string | null, caller: Caller): ChatwootClient =>
  new ChatwootClient(host.fetchFor(access.accountId, access.isBackground), baseUrlOf(access), token, caller, requestMsOf(access));

/** Chatwoot's ids are numbers; anything else names nothing there, and must not become part of a path. */
export function numberOf(id: string, what: string): number {
  if (!/^\d{1,15}$/.test(id)) throw new ProviderRefusedError(`No Chatwoot ${what} has such an id; they are numbers.`, { gone: true });
  return Number(id);
}
