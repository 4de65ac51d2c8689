import type { AccountId, Instant, OrganizationId, SessionId } from '../../ids';
import type { AccountHealth, AccountRecord, InboxRecord, WebhookRotation } from '../../setup';

type AccountPatch = Partial<Omit<AccountRecord, 'id' | 'organizationId' | 'provider' | 'disabledCount'>>;

/** Stores the accounts of organizations, with their credentials and webhook secrets. */
export interface AccountStore {
  /**
   * Inserts an account. Returns the existing one if there is one for the organization and provider
   * (`uq_account_provider`).
   */
  insertAccount(account: AccountRecord): Promise<AccountRecord>;
  updateAccount(id: AccountId, patch: AccountPatch): Promise<AccountRecord>;
  /** Records the result of a setup. Null: the account was disabled since it was read, and nothing changed. */
  finishAccountSetup(
    account: Pick<AccountRecord, 'id' | 'disabledCount'>,
    patch: AccountPatch & Pick<AccountRecord, 'state'>,
  ): Promise<AccountRecord | null>;
  /**
   * Disables the account and its inboxes in one transaction. The inboxes get the given problem; inboxes that are
   * already disabled stay unchanged.
   */
  disableAccount(id: AccountId, problemOfInboxes: InboxRecord['problem']): Promise<AccountRecord>;
  findAccount(organizationId: OrganizationId, id: AccountId): Promise<AccountRecord | null>;
  findAccountsByIds(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly (AccountRecord | null)[]>;
  listAccounts(organizationId: OrganizationId): Promise<readonly AccountRecord[]>;
  /**
   * Makes `secret` the account's webhook secret. The previous secret, and up to three earlier ones that are still
   * accepted, stay accepted until `rotation.previousValidUntil`.
   */
  rotateWebhookSecret(id: AccountId, secret: string, rotation: WebhookRotation): Promise<AccountRecord>;
  /**
   * Finds an account by id and webhook secret, across organizations: this authenticates a webhook. Earlier secrets
   * match while they are accepted. The comparison takes constant time.
   */
  findAccountForWebhook(id: AccountId, secret: string): Promise<AccountRecord | null>;
}

/** Stores what is known of the health of accounts, and when each is inspected next. */
export interface AccountHealthStore {
  /** Schedules the account's next inspection; null: none. */
  scheduleCheck(id: AccountId, afterMs: number | null): Promise<void>;
  /**
   * Claims READY accounts whose inspection is due, each for one replica, across organizations. Their next inspection is
   * due after `everyMs`.
   */
  claimChecks(limit: number, everyMs: number): Promise<readonly AccountRecord[]>;
  /** Records the health of one session's account. */
  markHealth(organizationId: OrganizationId, sessionId: SessionId, health: AccountHealth): Promise<void>;
  /** Clears an UNAUTHORIZED that the same kind of work recorded, and makes an inspection due. False: there was none. */
  markRecovered(
    organizationId: OrganizationId,
    sessionId: SessionId,
    source: AccountHealth['source'],
    at: Instant,
  ): Promise<boolean>;
  /**
   * Returns whether any account is UNAUTHORIZED, across organizations. If none is, successes need no call of
   * `markRecovered`.
   */
  hasUnauthorizedAccounts(): Promise<boolean>;
}
