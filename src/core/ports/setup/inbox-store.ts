import type { AccountId, ChatbotId, InboxId, OrganizationId } from '../../ids';
import type { AccountRecord, InboxRecord } from '../../setup';

type InboxPatch = Partial<
  Pick<
    InboxRecord,
    'name' | 'externalId' | 'providerData' | 'policy' | 'memberIds' | 'state' | 'problem' | 'reenabledAt'
  >
>;

/** Stores the inboxes of chatbots. */
export interface InboxStore {
  /**
   * Inserts an inbox. Returns the existing one if there is one for the organization and chatbot (`uq_inbox_chatbot`).
   */
  insertInbox(inbox: InboxRecord): Promise<InboxRecord>;
  updateInbox(id: InboxId, patch: InboxPatch): Promise<InboxRecord>;
  /**
   * Records the result of a setup. Null: the inbox or its account was disabled since they were read, and nothing
   * changed.
   */
  finishInboxSetup(
    inbox: Pick<InboxRecord, 'id' | 'disabledCount'>,
    account: Pick<AccountRecord, 'id' | 'disabledCount'>,
    patch: InboxPatch & Pick<InboxRecord, 'state'>,
  ): Promise<InboxRecord | null>;
  disableInbox(id: InboxId): Promise<InboxRecord>;
  findInbox(organizationId: OrganizationId, id: InboxId): Promise<InboxRecord | null>;
  findInboxByChatbot(organizationId: OrganizationId, chatbotId: ChatbotId): Promise<InboxRecord | null>;
  findInboxesByIds(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly (InboxRecord | null)[]>;
  findInboxesByChatbots(
    organizationId: OrganizationId,
    chatbotIds: readonly string[],
  ): Promise<readonly (InboxRecord | null)[]>;
  listInboxes(organizationId: OrganizationId, accountId: AccountId | null): Promise<readonly InboxRecord[]>;
  listInboxesOfAccounts(organizationId: OrganizationId, accountIds: readonly string[]): Promise<readonly InboxRecord[]>;
}
