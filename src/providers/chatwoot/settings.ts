import { z } from 'zod';
import { addressProblem } from '../../core/checks/url';
import type { AccountAccess } from '../../core/ports/provider/access';
import type { ProviderDefinition } from '../../core/ports/provider/definition';
import { isToken } from './client';

type Input = Parameters<ProviderDefinition['parseSettings']>[0];
type Problem = ReturnType<ProviderDefinition['parseSettings']>['problems'][number];

export const DEFAULT_BOT_EMAIL_DOMAIN = 'support-subgraph.invalid';

const accountId = z.union(
  [
    z.int().positive(),
    z
      .string()
      .regex(/^[1-9]\d{0,15}$/)
      .transform(Number),
  ],
  { error: 'the number in /app/accounts/<number>, e.g. 3' },
);
const token = z.string().refine(isToken, { error: 'a token as Chatwoot shows it: printable, without spaces' });

/** Settings that an operator may give, followed by those that the setup records. */
const Settings = z.strictObject({
  /** The number of an existing account; required with an administrator's token. */
  accountId: accountId.optional(),
  /** The domain of BotAgent1's e-mail address; Chatwoot may send notifications to it. */
  botEmailDomain: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/i, {
      error: 'a domain, e.g. support.example.com',
    })
    .optional(),
  /** How long this Chatwoot lets a request run, in seconds: its RACK_TIMEOUT_SERVICE_TIMEOUT. */
  requestSeconds: z
    .number({ error: 'seconds from 1 to 300, e.g. 15' })
    .min(1, { error: 'seconds from 1 to 300, e.g. 15' })
    .max(300, { error: 'seconds from 1 to 300, e.g. 15' })
    .optional(),

  /**
   * True from before the account is requested until its number is known: only then may there be an account that is not
   * recorded.
   */
  accountAsked: z.boolean().optional(),
  version: z.string().optional(),
  /** The user as which this service acts: BotAgent1, or the administrator whose token was given. */
  botUserId: z.int().optional(),
  agentBotId: z.int().optional(),
});

type Credentials = Readonly<Record<string, string>>;

const GivenCredentials = z.strictObject({
  /** From super-admin console → Platform Apps. With it this service creates accounts and users. */
  platformToken: token.optional(),
  /** Of an administrator of an existing account, as whom this service then acts. */
  adminToken: token.optional(),

  botToken: token.optional(),
  agentBotToken: token.optional(),
});

export type ChatwootSettings = z.infer<typeof Settings>;
const StoredSettings = Settings.strip();

export function checkSettings({ baseUrl, settings, credentials, externalId = null }: Input): {
  problems: readonly Problem[];
} {
  const problems: Problem[] = [
    ...baseUrlProblems(baseUrl),
    ...problemsOf(Settings, settings, 'settings'),
    ...problemsOf(GivenCredentials, credentials, 'credentials'),
  ];
  const { platformToken, adminToken } = credentials;
  if (platformToken && adminToken)
    problems.push({
      field: 'credentials.adminToken',
      message: 'Both platformToken and adminToken were given; give only one. A new one replaces the other.',
    });
  if (!platformToken && !adminToken)
    problems.push({
      field: 'credentials.platformToken',
      message:
        "Missing. Give a Platform App's token, or adminToken with settings.accountId for an account that exists.",
    });
  if (adminToken && settings['accountId'] === undefined)
    problems.push({
      field: 'settings.accountId',
      message: "Missing. An administrator's token needs the account: the number in /app/accounts/<number>.",
    });
  const asked = accountId.safeParse(settings['accountId']).data;
  if (externalId !== null && asked !== undefined && String(asked) !== externalId)
    problems.push({
      field: 'settings.accountId',
      message: `This organization is linked to Chatwoot account ${externalId} with its inboxes and conversations, and cannot change to another. Give ${externalId}.`,
    });
  return { problems };
}

/**
 * Returns the user id of BotAgent1, or undefined if this service acts with an administrator's token. That user is a
 * person, whose messages and actions count as a person's: this service posts and changes conversations only as the
 * AgentBot.
 */
export const botUserOf = ({
  settings,
  credentials,
}: Pick<AccountAccess, 'settings' | 'credentials'>): number | undefined =>
  credentials['botToken'] === undefined ? undefined : parseStoredSettings({ settings }).botUserId;

/**
 * Returns the stored credentials to keep beside newly given ones. A Platform App's token and an administrator's token
 * replace each other; BotAgent1's token is dropped with the Platform App's.
 */
export function mergeCredentials(known: Credentials, given: Credentials): Credentials {
  const without = (...names: readonly string[]) =>
    Object.fromEntries(Object.entries(known).filter(([name]) => !names.includes(name)));
  if (given['adminToken'] && !given['platformToken']) return without('platformToken', 'botToken');
  if (given['platformToken'] && !given['adminToken']) return without('adminToken');
  return known;
}

/** Parses settings that were accepted before. Settings that this version does not know are dropped. */
export function parseStoredSettings(access: Pick<AccountAccess, 'settings'>): ChatwootSettings {
  return StoredSettings.parse(access.settings);
}

function baseUrlProblems(baseUrl: string | null): Problem[] {
  const field = 'baseUrl';
  if (!baseUrl)
    return [
      { field, message: 'Missing. Give the address of the Chatwoot installation, e.g. https://chatwoot.example.com' },
    ];
  const problem = addressProblem(baseUrl, 'base');
  return problem === null ? [] : [{ field, message: problem }];
}

/** Returns the problems of an input. Never quotes the input, which may be a token. */
function problemsOf(schema: z.ZodType, given: unknown, field: string): Problem[] {
  const result = schema.safeParse(given);
  if (result.success) return [];
  return result.error.issues.flatMap((issue): Problem[] => {
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map(key => ({
        field: `${field}.${key.slice(0, 40)}`,
        message: 'Unknown setting. Leave it out.',
      }));
    return [{ field: [field, ...issue.path].join('.'), message: `Not valid. Expected ${issue.message}.` }];
  });
}

/** Chatwoot's own default (read in its source, not measured), plus time for the network and our own rate limit. */
const REQUEST_SECONDS = 15;
const NETWORK_MARGIN_MS = 3_000;
export const requestSecondsOf = ({ requestSeconds }: Pick<ChatwootSettings, 'requestSeconds'>): number =>
  requestSeconds ?? REQUEST_SECONDS;
export const requestMsOf = (access: Pick<AccountAccess, 'settings'>): number =>
  requestSecondsOf(parseStoredSettings(access)) * 1_000 + NETWORK_MARGIN_MS;

/** Returns the base URL without a trailing slash. */
export const baseUrlOf = (access: AccountAccess): string => (access.baseUrl ?? '').replace(/\/+$/, '');
