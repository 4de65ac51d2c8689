import { randomBytes } from 'node:crypto';
import { ProviderAuthError, ProviderRefusedError } from '../../core/errors';
import type { AccountAccess } from '../../core/ports/provider/access';
import type { Capabilities } from '../../core/capabilities';
import type { EnsureAccount, EnsuredAccount, Person } from '../../core/ports/provider/setup-verbs';
import { isPrivateHost } from '../../addresses';
import { createClient, numberOf, type ChatwootHost } from './connection';
import { errorForResponse, isServerCrash } from './errors';
import { botUserOf, DEFAULT_BOT_EMAIL_DOMAIN, parseStoredSettings } from './settings';
import { readId, readList, type WireAgentBot, type WireInbox, type WirePerson, type WireProfile } from './wire';

export const BOT_NAME = 'BotAgent1';

export const capabilitiesOf = (access: Pick<AccountAccess, 'credentials'>): Capabilities => ({
  teams: true,
  priorities: true,
  privateNotes: true,
  attachments: true,
  typing: true,
  createsAccounts: access.credentials['platformToken'] !== undefined,
  managesAgents: true,
  inboxMembers: true,
  managesTeams: true,
  loginLinks: access.credentials['platformToken'] !== undefined,
  inspectsDrift: true,
  maxTextLength: 150_000,
});

export async function ensureAccount(
  host: ChatwootHost,
  request: EnsureAccount,
  signal: AbortSignal,
): Promise<EnsuredAccount> {
  const setUp = new AccountSetup(host, request, signal);
  await setUp.run();
  const { externalId, settings, credentials } = setUp.access;
  return {
    externalId: externalId ?? '',
    settings,
    credentials,
    capabilities: capabilitiesOf(setUp.access),
    manualSteps: setUp.manualSteps,
  };
}

/** Added to the manual steps after a setup with an administrator's token. */
export const WITHOUT_PLATFORM_APP_NOTE =
  "This existing account is used with the token of one of its administrators. So this service creates no BotAgent1 and no login links here, and removes persons from the account without deleting them from Chatwoot. If that person loses the role or the token is reset, give another administrator's token.";

/**
 * Sets up an account, or runs single steps for a repair. Each step looks for what an earlier run created, and its
 * result is saved before the next step begins.
 */
export class AccountSetup {
  access: AccountAccess;
  readonly manualSteps: string[] = [];

  constructor(
    private readonly host: ChatwootHost,
    private readonly request: Pick<EnsureAccount, 'access' | 'name' | 'owners' | 'inboxes' | 'save'>,
    private readonly signal: AbortSignal,
  ) {
    this.access = request.access;
  }

  async run(): Promise<void> {
    await this.readVersion();
    if (this.access.credentials['platformToken'] !== undefined) {
      await this.ensureOwnAccount();
      await this.ensureBotUser();
      await this.ensureAgentBot();
      for (const owner of this.request.owners) await this.ensureOwner(owner);
    } else {
      await this.adoptAccount();
      await this.ensureAgentBot();
      await this.promoteOwners();
      this.manualSteps.push(WITHOUT_PLATFORM_APP_NOTE);
    }
    this.addVersionStep();
    this.addWebhookStep();
  }

  private async save(known: Partial<Pick<AccountAccess, 'externalId' | 'settings' | 'credentials'>>): Promise<void> {
    this.access = {
      ...this.access,
      ...known,
      settings: { ...this.access.settings, ...known.settings },
      credentials: { ...this.access.credentials, ...known.credentials },
    };
    const { externalId, settings, credentials } = this.access;
    await this.request.save({ ...(externalId !== null && { externalId }), settings, credentials });
  }

  private get accountId(): number {
    return numberOf(this.access.externalId ?? '', 'account');
  }
  private get account(): string {
    return `/api/v1/accounts/${this.accountId}`;
  }
  private platformClient() {
    return createClient(this.host, this.access, this.access.credentials['platformToken'] ?? null, 'platformApp');
  }
  private userClient() {
    const { botToken, adminToken } = this.access.credentials;
    return createClient(
      this.host,
      this.access,
      botToken ?? adminToken ?? null,
      botToken ? 'botAgent' : 'administrator',
    );
  }

  private get botEmail(): string {
    return `botagent1+${this.access.accountId}@${parseStoredSettings(this.access).botEmailDomain ?? DEFAULT_BOT_EMAIL_DOMAIN}`.toLowerCase();
  }

  private async readVersion(): Promise<void> {
    const health = await createClient(this.host, this.access, null, 'nobody').request(
      { method: 'GET', path: '/api' },
      [404],
      this.signal,
    );
    const version =
      health.body === 'notJson' ? undefined : (health.body.json as { version?: unknown } | undefined)?.version;
    if (typeof version === 'string')
      this.access = { ...this.access, settings: { ...this.access.settings, version: version.slice(0, 40) } };
  }

  // ---- with a Platform App ----------------------------------------------------------------------------------------

  private async ensureOwnAccount(): Promise<void> {
    if (this.access.externalId !== null) return;
    const given = parseStoredSettings(this.access).accountId;
    if (given !== undefined) {
      await this.platformClient().json({ method: 'GET', path: `/platform/api/v1/accounts/${given}` }, this.signal);
      return this.save({ externalId: String(given) });
    }
    const marker = this.access.accountId;
    const isAskedAgain = parseStoredSettings(this.access).accountAsked === true;
    if (!isAskedAgain) await this.save({ settings: { accountAsked: true } });
    const made =
      (isAskedAgain
        ? (await this.listOwnAccounts()).find(account => account.custom_attributes?.['support_account_id'] === marker)
        : undefined) ??
      (await this.platformClient().json(
        {
          method: 'POST',
          path: '/platform/api/v1/accounts',
          body: { name: this.request.name, custom_attributes: { support_account_id: marker } },
        },
        this.signal,
      ));
    await this.save({ externalId: readId(made, 'account'), settings: { accountAsked: undefined } });
  }

  /**
   * Returns the accounts that the Platform App created. Called only if an earlier attempt may have created one. Empty
   * before Chatwoot 4.5, which introduced the list, and if Chatwoot can no longer list them.
   */
  private async listOwnAccounts(): Promise<readonly MarkedAccount[]> {
    const call = { method: 'GET', path: '/platform/api/v1/accounts' } as const;
    const listed = await this.platformClient().request(call, [404, 500], this.signal);
    if (listed.status === 500) {
      const failure = errorForResponse(listed, { ...call, caller: 'platformApp', isWrite: false });
      // Account 0 does not exist. If Chatwoot responds with 404 for it, the server works and only the list fails.
      if (
        !isServerCrash(listed) ||
        (await this.platformClient().request({ method: 'GET', path: `${call.path}/0` }, [404], this.signal)).status !==
          404
      )
        throw failure;
      this.manualSteps.push(
        `Chatwoot cannot list the accounts of this Platform App any more (500), because one of them was deleted. An earlier setup attempt was interrupted, and this service could not look for the account that it may have created. If there is a second, empty account "${this.request.name}", suspend it, and do not delete it.`,
      );
    }
    return listed.status !== 200 || listed.body === 'notJson'
      ? []
      : readList<MarkedAccount>(listed.body.json, 'accounts');
  }

  /**
   * Ensures that BotAgent1 exists, is an administrator and has a working token. Creates it if it is missing, and
   * repairs it if it was changed in Chatwoot.
   */
  async ensureBotUser(): Promise<void> {
    const known = await this.readBotProfile();
    if (known?.role === 'administrator') return;
    if (known === null && !(await this.recoverBotUser())) await this.createBotUser();
    await this.grantAdministrator(parseStoredSettings(this.access).botUserId ?? 0);
  }

  private async readBotProfile(): Promise<{ readonly role: string | null } | null> {
    const { botUserId } = parseStoredSettings(this.access);
    if (this.access.credentials['botToken'] === undefined || botUserId === undefined) return null;
    const answer = await this.userClient().request({ method: 'GET', path: '/api/v1/profile' }, [401], this.signal);
    if (answer.status === 401 || answer.body === 'notJson') return null;
    return { role: roleIn(answer.body.json as WireProfile, this.accountId) };
  }

  /**
   * Fetches the current token of the known BotAgent1, even if its e-mail was changed: creating a second one would leave
   * the first an administrator. Chatwoot has this call since 4.3. Returns false if there is no such user. Without a bot
   * token the known id may be a person's, so it is not used.
   */
  private async recoverBotUser(): Promise<boolean> {
    const botUserId = botUserOf(this.access);
    if (botUserId === undefined) return false;
    // 404: the user was deleted, or this version has no such call. 401: another Platform App created it.
    const answer = await this.platformClient().request(
      { method: 'POST', path: `/platform/api/v1/users/${botUserId}/token` },
      [401, 404],
      this.signal,
    );
    const token =
      answer.body === 'notJson'
        ? undefined
        : (answer.body.json as { access_token?: unknown } | undefined)?.access_token;
    if (answer.status >= 400 || typeof token !== 'string') return false;
    await this.save({ credentials: { botToken: token } });
    return true;
  }

  /** Creates BotAgent1. For a known e-mail Chatwoot returns the existing user with its current token. */
  private async createBotUser(): Promise<void> {
    const user = (await this.platformClient().json(
      {
        method: 'POST',
        path: '/platform/api/v1/users',
        body: { name: BOT_NAME, display_name: BOT_NAME, email: this.botEmail, password: createPassword() },
      },
      this.signal,
    )) as { access_token?: unknown } | undefined;
    const botUserId = Number(readId(user, 'user'));
    if (typeof user?.access_token !== 'string')
      throw new ProviderAuthError(
        `Chatwoot created ${BOT_NAME} and did not return its token. Enable support for the organization again.`,
      );
    await this.save({ settings: { botUserId }, credentials: { botToken: user.access_token } });
  }

  private async grantAdministrator(userId: number): Promise<void> {
    await this.platformClient().json(
      {
        method: 'POST',
        path: `/platform/api/v1/accounts/${this.accountId}/account_users`,
        body: { user_id: userId, role: 'administrator' },
      },
      this.signal,
    );
  }

  /** Makes an owner an administrator through the Platform App, or invites them if there is none. */
  async ensureOwner({ name, email }: Person): Promise<void> {
    if (this.access.credentials['platformToken'] === undefined) return this.inviteOwner({ name, email });
    const answer = await this.platformClient().request(
      {
        method: 'POST',
        path: '/platform/api/v1/users',
        body: personOf(this.access, { name, email }),
      },
      [422],
      this.signal,
    );
    if (answer.status === 422 || answer.body === 'notJson') {
      this.manualSteps.push(
        `Chatwoot does not accept the name or e-mail address of owner ${email}. Correct it and enable support again.`,
      );
      return;
    }
    await this.grantAdministrator(Number(readId(answer.body.json, 'user')));
  }

  // ---- with an existing account -----------------------------------------------------------------------------------

  private async adoptAccount(): Promise<void> {
    const externalId = this.access.externalId ?? String(parseStoredSettings(this.access).accountId ?? '');
    const profile = (await this.userClient().json(
      { method: 'GET', path: '/api/v1/profile' },
      this.signal,
    )) as WireProfile;
    const role = roleIn(profile, numberOf(externalId, 'account'));
    if (role === null)
      throw new ProviderAuthError(
        `The user of this token is not in Chatwoot account ${externalId}. Give the token of one of its administrators.`,
      );
    if (role !== 'administrator')
      throw new ProviderAuthError(
        `The user of this token is "${role}" in Chatwoot account ${externalId}. Make them an administrator.`,
      );
    await this.save({ externalId, settings: { botUserId: Number(readId(profile, 'user')) } });
  }

  private async promoteOwners(): Promise<void> {
    const people = readList<WirePerson>(
      await this.userClient().json({ method: 'GET', path: `${this.account}/agents` }, this.signal),
      'agents',
    );
    const find = (address: string) => people.find(person => person.email?.toLowerCase() === address.toLowerCase());
    if (find(this.botEmail))
      this.manualSteps.push(
        `This service now uses an administrator's token, so ${BOT_NAME}, which it created with the Platform App, is an administrator without a use. Remove it in Chatwoot (Settings → Agents).`,
      );
    for (const owner of this.request.owners) {
      const known = find(owner.email);
      if (!known) {
        await this.inviteOwner(owner);
        continue;
      }
      if (known.role !== 'administrator')
        await this.userClient().json(
          { method: 'PATCH', path: `${this.account}/agents/${known.id}`, body: { role: 'administrator' } },
          this.signal,
        );
      if (known.confirmed === false)
        this.manualSteps.push(`Owner ${owner.email} has not followed Chatwoot's invitation yet.`);
    }
  }

  /**
   * Invites an owner. An owner whom Chatwoot refuses (an invalid address, no seat left in the plan) becomes a manual
   * step and does not stop the setup.
   */
  private async inviteOwner({ name, email }: Person): Promise<void> {
    try {
      await this.userClient().json(
        { method: 'POST', path: `${this.account}/agents`, body: { name, email, role: 'administrator' } },
        this.signal,
      );
      this.manualSteps.push(`Owner ${email} has to follow the invitation that Chatwoot has sent by e-mail.`);
    } catch (error) {
      if (!(error instanceof ProviderRefusedError)) throw error;
      this.manualSteps.push(
        `Chatwoot refused to invite owner ${email}. Correct the name and address and enable support again, or make them an administrator in Chatwoot (Settings → Agents). ${error.message}`,
      );
    }
  }

  // ---- both -------------------------------------------------------------------------------------------------------

  /**
   * Ensures an agent bot without a URL. With it new conversations start pending and the bot's messages carry its name.
   * Chatwoot sends it nothing, so no failed request can open a conversation to agents.
   */
  async ensureAgentBot(): Promise<void> {
    const { agentBotId } = parseStoredSettings(this.access);
    const marker = `support-subgraph ${this.access.accountId}`;
    const bots = readList<WireAgentBot>(
      await this.userClient().json({ method: 'GET', path: `${this.account}/agent_bots` }, this.signal),
      'agent bots',
    );
    const bot =
      bots.find(({ id }) => id === agentBotId) ??
      bots.find(({ description }) => description?.includes(marker)) ??
      ((await this.userClient().json(
        {
          method: 'POST',
          path: `${this.account}/agent_bots`,
          body: { name: BOT_NAME, description: `Speaks for the chatbots (${marker})` },
        },
        this.signal,
      )) as WireAgentBot);
    const id = Number(readId(bot, 'agent bot'));
    if (!bot.access_token)
      throw new ProviderAuthError(
        "Chatwoot does not show the AgentBot's token to this service's user. Make that user an administrator.",
      );
    if (id === agentBotId && bot.access_token === this.access.credentials['agentBotToken']) return;
    if (agentBotId !== undefined && id !== agentBotId) await this.connectInboxes(id);
    await this.save({ settings: { agentBotId: id }, credentials: { agentBotToken: bot.access_token } });
  }

  /**
   * Connects a new agent bot to the inboxes of a deleted one. Without a bot they would open every conversation to
   * agents.
   */
  private async connectInboxes(agentBot: number): Promise<void> {
    const known = new Set(this.request.inboxes);
    if (known.size === 0) return;
    const { payload } = (await this.userClient().json(
      { method: 'GET', path: `${this.account}/inboxes` },
      this.signal,
    )) as { payload?: unknown };
    for (const { id, additional_attributes: attributes } of readList<WireInbox>(payload, 'inboxes'))
      if (known.has(String(id)) && attributes?.['support_inbox_id'] !== undefined)
        await this.userClient().json(
          { method: 'POST', path: `${this.account}/inboxes/${id}/set_agent_bot`, body: { agent_bot: agentBot } },
          this.signal,
        );
  }

  private version(): readonly [number, number] | null {
    const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(String(this.access.settings['version'] ?? '')) ?? [];
    return major === undefined ? null : [Number(major), Number(minor)];
  }

  private addVersionStep(): void {
    const [major, minor] = this.version() ?? [3, 16];
    if (major < 3 || (major === 3 && minor < 16))
      this.manualSteps.push(
        `This Chatwoot is ${String(this.access.settings['version'])}; 3.16 is the oldest tested version, and this one may not work. Upgrade it.`,
      );
  }

  private addWebhookStep(): void {
    const { webhookUrl } = this.access;
    if (webhookUrl === '')
      this.manualSteps.push(
        "Chatwoot cannot reach this service and sends no webhooks, so agents' messages and changes are only found by scans on a timer. Set SUPPORT_PUBLIC_URL to an address that Chatwoot can reach and restart; then enable each chatbot again, or repair what supportDrift shows.",
      );
    const [major, minor] = this.version() ?? [0, 0];
    const guarded = major > 4 || (major === 4 && minor >= 14);
    if (guarded && webhookUrl !== '' && isPrivateHost(new URL(webhookUrl).hostname))
      this.manualSteps.push(
        "Chatwoot 4.14 and later sends no webhooks to private addresses, and marks agents' messages as failed. Give this service a public address, or set SAFE_FETCH_ALLOW_PRIVATE_NETWORK=true in Chatwoot.",
      );
  }
}

/**
 * Attribute of a user that this service created; its value is our account's id. Chatwoot keeps the attributes of a user
 * that existed before, so such a user never has it.
 */
export const CREATED_FOR_ATTRIBUTE = 'support_made_for';

export const personOf = (access: AccountAccess, { name, email }: Person) => ({
  name,
  email,
  password: createPassword(),
  custom_attributes: { [CREATED_FOR_ATTRIBUTE]: access.accountId },
});

interface MarkedAccount {
  readonly id: number;
  readonly custom_attributes?: Readonly<Record<string, unknown>> | null;
}

const roleIn = (profile: WireProfile | undefined, accountId: number): string | null =>
  profile?.accounts?.find(({ id }) => id === accountId)?.role ?? null;

/**
 * Returns a password that Chatwoot accepts: upper and lower case, a digit and a special character. It is never used;
 * access is by tokens and login links.
 */
const createPassword = (): string => `${randomBytes(24).toString('base64url')}aA1!`;
