import { z } from 'zod';
import { addressProblem } from '../../core/checks/url';
import type { AccountAccess, ProviderDefinition } from '../../core/ports/support-provider';
import { isToken } from './client';

type Input = Parameters<ProviderDefinition['parseSettings']>[0];
type Problem = ReturnType<ProviderDefinition['parseSettings']>['problems'][number];

export const DEFAULT_BOT_EMAIL_DOMAIN = 'support-subgraph.invalid';

const accountId = z.union([z.int().positive(), z.string().regex(/^[1-9]\d{0,15}$/).transform(Number)], { error: 'the number in /app/accounts/<number>, e.g. 3' });
const token = z.string().refine(isToken, { error: 'a token as Chatwoot shows it: printable, without spaces' });

/** What an operator may give, and below it what set-up writes beside it. */
const Settings = z.strictObject({
  /** An account that exists; needed with an administrator's token. */
  accountId: accountId.optional(),
  /** BotAgent1's e-mail address ends in this; Chatwoot may send notifications there. */
  botEmailDomain: z.string().regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/i, { error: 'a domain, e.g. support.example.com' }).optional(),
  /** For how long this Chatwoot lets a request run, in seconds: its RACK_TIMEOUT_SERVICE_TIMEOUT. */
  requestSeconds: z.number({ error: 'seconds from 1 to 300, e.g. 15' }).min(1, { error: 'seconds from 1 to 300, e.g. 15' }).max(300, { error: 'seconds from 1 to 300, e.g. 15' }).optional(),

  /** Set before an account is asked for, until its number is known: only then one may be there that we do not know of. */
  accountAsked: z.boolean().optional(),
  version: z.string().optional(),
  /** Whom we work as: BotAgent1, or the administrator whose token was given. */
  botUserId: z.int().optional(),
  agentBotId: z.int().optional(),
});

type Credentials = Readonly<Record<string, string>>;

const GivenCredentials = z.strictObject({
  /** Super-admin console → Platform Apps: accounts and people are made by us. */
  platformToken: token.optional(),
  /** An administrator of an account that exists: we work as that person. */
  adminToken: token.optional(),

  botToken: token.optional(),
  agentBotToken: token.optional(),
});

export type ChatwootSettings = z.infer<typeof Settings>;
const StoredSettings = Settings.strip();

export function checkSettings({ baseUrl, settings, credentials, externalId = null }: Input): { problems: readonly Problem[] } {
  const problems: Problem[] = [...baseUrlProblems(baseUrl), ...problemsOf(Settings, settings, 'settings'), ...problemsOf(GivenCredentials, credentials, 'credentials')];
  const { platformToken, adminToken } = credentials;
  if (platformToken && adminToken)
    problems.push({ field: 'credentials.adminToken', message: 'Give either platformToken or adminToken, not both at once; the one takes the other\'s place.' });
  if (!platformToken && !adminToken)
    problems.push({ field: 'credentials.platformToken', message: 'Missing. Give a Platform App\'s token, or adminToken with settings.accountId for an account that exists.' });
  if (adminToken && settings['accountId'] === undefined)
    problems.push({ field: 'settings.accountId', message: 'Missing. An administrator\'s token needs the account: the number in /app/accounts/<number>.' });
  const asked = accountId.safeParse(settings['accountId']).data;
  if (externalId !== null && asked !== undefined && String(asked) !== externalId)
    problems.push({ field: 'settings.accountId', message: `This organization is linked to Chatwoot account ${externalId}, with its inboxes and conversations, and stays with it. Give ${externalId}.` });
  return { problems };
}

/**
 * BotAgent1, while we work as a user whom we made. With an administrator's token we work as a person, whose words and deeds
 * are a person's: nothing that we post or decide goes by that token, the AgentBot does all of it.
 */
export const botUserOf = ({ settings, credentials }: Pick<AccountAccess, 'settings' | 'credentials'>): number | undefined =>
  (credentials['botToken'] === undefined ? undefined : settingsOf({ settings }).botUserId);

/** Platform App or administrator: whichever is given takes the other's place, and BotAgent1 goes with the Platform App. */
export function credentialsKept(known: Credentials, given: Credentials): Credentials {
  const without = (...names: readonly string[]) => Object.fromEntries(Object.entries(known).filter(([name]) => !names.includes(name)));
  if (given['adminToken'] && !given['platformToken']) return without('platformToken', 'botToken');
  if (given['platformToken'] && !given['adminToken']) return without('adminToken');
  return known;
}

/** Settings that were accepted before. What a later version of this folder no longer knows is left out. */
export function settingsOf(access: Pick<AccountAccess, 'settings'>): ChatwootSettings {
  return StoredSettings.parse(access.settings);
}

function baseUrlProblems(baseUrl: string | null): Problem[] {
  const field = 'baseUrl';
  if (!baseUrl) return [{ field, message: 'Missing. Give the address of the Chatwoot installation, e.g. https://chatwoot.example.com' }];
  const problem = addressProblem(baseUrl, 'base');
  return problem === null ? [] : [{ field, message: problem }];
}

/** Never shows what was given: it may be a token. */
function problemsOf(schema: z.ZodType, given: unknown, field: string): Problem[] {
  const result = schema.safeParse(given);
  if (result.success) return [];
  return result.error.issues.flatMap((issue): Problem[] => {
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => ({ field: `${field}.${key.slice(0, 40)}`, message: 'Unknown. Leave it out.' }));
    return [{ field: [field, ...issue.path].join('.'), message: `Not usable. Expected ${issue.message}.` }];
  });
}

/** Chatwoot's own default (read in its source, not measured), and a little for the way there and back, and for our own pace before it. */
const REQUEST_SECONDS = 15;
const ON_THE_WAY_MS = 3_000;
export const requestSecondsOf = ({ requestSeconds }: Pick<ChatwootSettings, 'requestSeconds'>): number => requestSeconds ?? REQUEST_SECONDS;
export const requestMsOf = (access: Pick<AccountAccess, 'settings'>): number => requestSecondsOf(settingsOf(access)) * 1_000 + ON_THE_WAY_MS;

/** Without the slash at its end. */
export const baseUrlOf = (access: AccountAccess): string => (access.baseUrl ?? '').replace(/\/+$/, '');
