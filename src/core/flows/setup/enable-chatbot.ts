import { ConflictError, NotFoundError } from '../../errors';
import type { ChatbotId } from '../../ids';
import { validateText } from '../../message';
import { instantOf } from '../../ports/clock';
import { DEFAULT_POLICY, type InboxRecord, type SupportPolicy } from '../../setup';
import type { DeepPartial, EnableChatbotInput, EnableChatbotResult } from '../api/setup';
import type { Scope } from '../api/scope';
import type { StoreDeps, ProviderDeps } from '../deps';
import { validateId } from '../from-runtime/record-message';
import { requireAccount } from './find-account';
import { connectInbox } from './inbox';

const mergePolicy = (base: SupportPolicy, change: DeepPartial<SupportPolicy>): SupportPolicy => ({
  whileWaiting: change.whileWaiting ?? base.whileWaiting,
  mirroring: change.mirroring ?? base.mirroring,
  onDeadLetter: change.onDeadLetter ?? base.onDeadLetter,
  automaticReplies: change.automaticReplies ?? base.automaticReplies,
  lostConversation: change.lostConversation ?? base.lostConversation,
  lines: { ...base.lines, ...change.lines },
});

/**
 * Checks the policy's lines.
 * @throws InvalidInputError TEXT_EMPTY or TEXT_TOO_LONG naming a line that could not be shown to an end-user
 */
function checkPolicy({ lines = {} }: DeepPartial<SupportPolicy>): void {
  for (const [name, text] of Object.entries(lines))
    if (typeof text === 'string') validateText(text, [], `policy.lines.${name}`);
}

export async function enableChatbot(
  deps: ProviderDeps,
  scope: Scope,
  input: EnableChatbotInput,
): Promise<EnableChatbotResult> {
  validateId(input.name, 'name', 200);
  validateId(input.chatbotId, 'chatbotId');
  checkPolicy(input.policy);
  const account = await requireAccount(deps, scope, input.accountId);
  if (account.externalId === null || account.state === 'DISABLED')
    throw new ConflictError(
      'ACCOUNT_DISABLED',
      'accountId',
      `Support account ${account.id} is ${account.state}. Call enableSupport again until it is READY.`,
    );
  const row: InboxRecord = {
    id: deps.clock.newId(),
    organizationId: scope.organizationId,
    chatbotId: input.chatbotId,
    accountId: account.id,
    name: input.name,
    externalId: null,
    providerData: {},
    policy: mergePolicy(DEFAULT_POLICY, input.policy),
    memberIds: null,
    state: 'PROVISIONING',
    problem: null,
    disabledCount: 0,
    reenabledAt: null,
    createdAt: instantOf(deps.clock.now()),
  };
  const inbox = await deps.stores.setup.insertInbox(row);
  if (inbox.accountId !== account.id)
    throw new ConflictError(
      'PROVIDER_FIXED',
      'accountId',
      `Chatbot ${input.chatbotId} is already connected to account ${inbox.accountId}. A chatbot can have only one inbox.`,
    );
  return {
    inbox: await connectInbox(deps, account, inbox, ({ policy }) => ({
      name: input.name,
      policy: mergePolicy(policy, input.policy),
    })),
  };
}

export async function updatePolicy(
  deps: StoreDeps,
  scope: Scope,
  chatbotId: ChatbotId,
  policy: DeepPartial<SupportPolicy>,
) {
  checkPolicy(policy);
  const inbox = await deps.stores.setup.findInboxByChatbot(scope.organizationId, chatbotId);
  if (inbox === null)
    throw new NotFoundError(
      'CHATBOT_NOT_ENABLED',
      'chatbotId',
      'This chatbot has no support inbox. Call enableChatbotSupport for it first.',
    );
  return deps.stores.setup.updateInbox(inbox.id, { policy: mergePolicy(inbox.policy, policy) });
}
