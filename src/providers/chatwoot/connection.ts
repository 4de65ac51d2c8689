import { ProviderAuthError, ProviderRefusedError } from '../../core/errors';
import type { AccountAccess } from '../../core/ports/provider/access';
import type { ProviderHost } from '../../core/ports/provider/definition';
import { ChatwootClient } from './client';
import type { Caller } from './errors';
import type { FetchFor } from './rate-limits';
import { baseUrlOf, botUserOf, requestMsOf, parseStoredSettings, type ChatwootSettings } from './settings';

/** An account after its setup, with this service's identities in it. */
export interface Connection {
  /** BotAgent1, or the administrator whose token was given. Sets up and reads. */
  readonly user: ChatwootClient;
  /**
   * The AgentBot, which makes all changes to conversations. It cannot be demoted, its messages do not count as a
   * person's reply, and Chatwoot does not assign a conversation to it when it opens one (an agent-role user would be
   * assigned).
   */
  readonly bot: ChatwootClient;
  /** No token: end-users' own actions through the public API. */
  readonly endUser: ChatwootClient;
  readonly settings: ChatwootSettings;
  /** Id of the user whose actions are never a person's; see `botUserOf`. */
  readonly botUserId: number | undefined;
  /** Path of the account's API. */
  readonly account: string;
  conversation(id: string): string;
}

export type Connect = (access: AccountAccess) => Connection;

/** The provider host, whose requests are limited per server and account. */
export type ChatwootHost = Omit<ProviderHost, 'fetch'> & { readonly fetchFor: FetchFor };

export const createConnect =
  (host: ChatwootHost): Connect =>
  access => {
    const { botToken, adminToken, agentBotToken } = access.credentials;
    const userToken = botToken ?? adminToken;
    if (!access.externalId || !userToken || !agentBotToken)
      throw new ProviderAuthError(
        'The setup of this Chatwoot account is incomplete. Enable support for the organization again; the setup continues where it stopped.',
      );
    const account = `/api/v1/accounts/${numberOf(access.externalId, 'account')}`;
    return {
      user: createClient(host, access, userToken, botToken ? 'botAgent' : 'administrator'),
      bot: createClient(host, access, agentBotToken, 'agentBot'),
      endUser: createClient(host, access, null, 'nobody'),
      settings: parseStoredSettings(access),
      botUserId: botUserOf(access),
      account,
      conversation: id => `${account}/conversations/${numberOf(id, 'conversation')}`,
    };
  };

export const createClient = (
  host: Pick<ChatwootHost, 'fetchFor'>,
  access: AccountAccess,
  token: string | null,
  caller: Caller,
): ChatwootClient =>
  new ChatwootClient(
    host.fetchFor(access.accountId, access.isBackground),
    baseUrlOf(access),
    token,
    caller,
    requestMsOf(access),
  );

/** Returns a Chatwoot id as a number. Any other text is an unknown id and must not become part of a path. */
export function numberOf(id: string, what: string): number {
  if (!/^\d{1,15}$/.test(id))
    throw new ProviderRefusedError(`The id of the Chatwoot ${what} is not a number; use an id from Chatwoot.`, {
      gone: true,
    });
  return Number(id);
}
