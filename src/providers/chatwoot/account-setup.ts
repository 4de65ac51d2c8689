import { ProviderAuthError } from '../../core/errors';
import type { AccountAccess } from '../../core/ports/provider/access';
import type { Capabilities } from '../../core/capabilities';
import type { EnsureAccount, EnsuredAccount } from '../../core/ports/provider/setup-verbs';
import { isPrivateHost } from '../../addresses';
import { numberOf, type ChatwootHost } from './connection';
import { BOT_NAME } from './created-users';
import { PlatformSetup } from './platform-setup';
import { parseStoredSettings } from './settings';
import { roleIn } from './setup-steps';
import { readId, readList, type WireAgentBot, type WireInbox, type WirePerson, type WireProfile } from './wire';

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
export class AccountSetup extends PlatformSetup {
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
