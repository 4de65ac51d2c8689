import { ProviderRefusedError } from '../../core/errors';
import type { AccountAccess } from '../../core/ports/provider/access';
import type { EnsureAccount, Person } from '../../core/ports/provider/setup-verbs';
import { createClient, numberOf, type ChatwootHost } from './connection';
import { DEFAULT_BOT_EMAIL_DOMAIN, parseStoredSettings } from './settings';
import type { WireProfile } from './wire';

/** State and calls that all steps of an account's setup share. */
export abstract class SetupSteps {
  access: AccountAccess;
  readonly manualSteps: string[] = [];

  constructor(
    protected readonly host: ChatwootHost,
    protected readonly request: Pick<EnsureAccount, 'access' | 'name' | 'owners' | 'inboxes' | 'save'>,
    protected readonly signal: AbortSignal,
  ) {
    this.access = request.access;
  }

  protected async save(known: Partial<Pick<AccountAccess, 'externalId' | 'settings' | 'credentials'>>): Promise<void> {
    this.access = {
      ...this.access,
      ...known,
      settings: { ...this.access.settings, ...known.settings },
      credentials: { ...this.access.credentials, ...known.credentials },
    };
    const { externalId, settings, credentials } = this.access;
    await this.request.save({ ...(externalId !== null && { externalId }), settings, credentials });
  }

  protected get accountId(): number {
    return numberOf(this.access.externalId ?? '', 'account');
  }
  protected get account(): string {
    return `/api/v1/accounts/${this.accountId}`;
  }
  protected platformClient() {
    return createClient(this.host, this.access, this.access.credentials['platformToken'] ?? null, 'platformApp');
  }
  protected userClient() {
    const { botToken, adminToken } = this.access.credentials;
    return createClient(
      this.host,
      this.access,
      botToken ?? adminToken ?? null,
      botToken ? 'botAgent' : 'administrator',
    );
  }

  protected get botEmail(): string {
    return `botagent1+${this.access.accountId}@${parseStoredSettings(this.access).botEmailDomain ?? DEFAULT_BOT_EMAIL_DOMAIN}`.toLowerCase();
  }

  protected async readVersion(): Promise<void> {
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

  /**
   * Invites an owner. An owner whom Chatwoot refuses (an invalid address, no seat left in the plan) becomes a manual
   * step and does not stop the setup.
   */
  protected async inviteOwner({ name, email }: Person): Promise<void> {
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
}

export const roleIn = (profile: WireProfile | undefined, accountId: number): string | null =>
  profile?.accounts?.find(({ id }) => id === accountId)?.role ?? null;
