import { ProviderAuthError } from '../../core/errors';
import type { Person } from '../../core/ports/provider/setup-verbs';
import { BOT_NAME, createPassword, personOf } from './created-users';
import { errorForResponse, isServerCrash } from './errors';
import { botUserOf, parseStoredSettings } from './settings';
import { roleIn, SetupSteps } from './setup-steps';
import { readId, readList, type WireProfile } from './wire';

interface MarkedAccount {
  readonly id: number;
  readonly custom_attributes?: Readonly<Record<string, unknown>> | null;
}

/** The steps of an account's setup with a Platform App. */
export abstract class PlatformSetup extends SetupSteps {
  protected async ensureOwnAccount(): Promise<void> {
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
}
