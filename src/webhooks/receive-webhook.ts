import { BodyRefusedError, ClientGoneError, isAboutRequest, WebhookRejectedError } from '../core/request-errors';
import type { SupportError } from '../core/errors';
import { enqueueAgentInitiatedNotes, type AgentInitiatedStores } from '../core/flows/from-provider/agent-initiated';
import type { Clock } from '../core/ports/clock';
import type { SetupStore } from '../core/ports/stores';
import type { AccountAccess } from '../core/ports/provider/access';
import type { ProviderHost } from '../core/ports/provider/definition';
import type { SupportProvider } from '../core/ports/provider/support-provider';
import type { WebhookHint } from '../core/ports/provider/webhook';
import type { AccountRecord } from '../core/setup';
import { acceptedResponse, responseForWebhookError, methodNotAllowed, type WebhookResponse } from './errors';
import { recordHint, type HintStores } from '../core/flows/from-provider/record-hint';
import { recordTyping, type TypingDeps } from './record-typing';

export interface WebhookDeps {
  readonly stores: HintStores &
    AgentInitiatedStores & {
      readonly setup: Pick<SetupStore, 'findAccountForWebhook' | 'listInboxes' | 'scheduleCheck'>;
    };
  /** If omitted: typing is not reported. */
  readonly typing?: TypingDeps;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: ProviderHost['log'];
  readonly bodyLimitBytes: number;
  providerOf(account: AccountRecord): Pick<SupportProvider, 'parseWebhook'>;
  accessOf(account: AccountRecord): AccountAccess;
}

export interface IncomingWebhook {
  readonly method: string;
  readonly path: string;
  readonly plainHeaders: Readonly<Record<string, string | undefined>>;
  /**
   * Reads the whole body, inflated. Called once, after the URL has proven the sender.
   * @param sender whom the body counts for
   * @throws BodyRefusedError, OverloadedError, ClientGoneError
   */
  readBody(limitBytes: number, sender: string): Promise<Buffer>;
}

type Outcome = 'recorded' | 'typing' | 'unknownConversation' | 'agentInitiated' | 'ignored' | 'senderDisconnected';
/** Facts about a webhook for the log: never its headers or content. */
interface WebhookFacts {
  accountId?: string;
  bytes?: number;
}

/**
 * Minimum interval between drift checks caused by wrong signatures. A wrong signature may mean that the provider has a
 * new secret.
 */
const RECENT_CHECK_MS = 60_000;

/**
 * Handles `POST /webhooks/<account>/<secret>[/…]`. A webhook is only a hint which conversation to sync. The sender gets
 * 200 once the request for that sync is committed.
 */
export function createWebhookReceiver(deps: WebhookDeps): (webhook: IncomingWebhook) => Promise<WebhookResponse> {
  return async webhook => {
    if (webhook.method !== 'POST') return methodNotAllowed;
    const facts: WebhookFacts = {};
    try {
      const outcome = await receive(deps, webhook, facts);
      deps.log('info', 'webhook', { ...facts, outcome });
      return acceptedResponse(outcome);
    } catch (error) {
      // An error of the request itself, to which the HTTP server responds.
      if (isAboutRequest(error)) {
        deps.log('warn', 'webhook', { ...facts, outcome: (error as SupportError).code });
        throw error;
      }
      if (error instanceof WebhookRejectedError) deps.log('warn', 'webhook', { ...facts, outcome: error.why });
      else deps.log('error', 'webhook', { ...facts, outcome: 'failed', err: error });
      return responseForWebhookError(error);
    }
  };
}

async function receive(deps: WebhookDeps, webhook: IncomingWebhook, facts: WebhookFacts): Promise<Outcome> {
  const account = await accountOf(deps, webhook.path);
  facts.accountId = account.id;
  const rawBody = await readSignedBody(deps, webhook, account);
  if (rawBody === 'senderDisconnected') return rawBody;
  facts.bytes = rawBody.length;

  // Some servers sign each inbox's webhooks with its own secret.
  const inboxes = (await deps.stores.setup.listInboxes(account.organizationId, account.id)).flatMap(
    ({ externalId, providerData }) => (externalId === null ? [] : [{ externalId, providerData }]),
  );
  let hint: WebhookHint;
  try {
    hint = deps.providerOf(account).parseWebhook({
      account: deps.accessOf(account),
      inboxes,
      headers: webhook.plainHeaders,
      rawBody,
      receivedAt: deps.clock.now(),
    });
  } catch (error) {
    if (error instanceof WebhookRejectedError && error.why === 'badSignature') await scheduleHealthCheck(deps, account);
    throw error;
  }
  if (hint.kind === 'typing') return deps.typing === undefined ? 'ignored' : recordTyping(deps.typing, account, hint);
  if (hint.kind === 'ignored') return 'ignored';
  const outcome = await recordHint(deps, account.id, hint);
  // Also committed before the response, because no timer syncs a conversation that is not ours.
  if (
    outcome === 'unknownConversation' &&
    hint.endUser !== undefined &&
    (await enqueueAgentInitiatedNotes(deps.stores, account.id, new Map([[hint.conversationId, hint.endUser]]))) > 0
  )
    return 'agentInitiated';
  return outcome;
}

/**
 * Reads the signed body. Senders sign before any compression on the way, so the signature holds for the inflated body.
 */
async function readSignedBody(
  { bodyLimitBytes }: WebhookDeps,
  webhook: IncomingWebhook,
  account: AccountRecord,
): Promise<Buffer | 'senderDisconnected'> {
  try {
    return await webhook.readBody(bodyLimitBytes, account.id);
  } catch (error) {
    if (error instanceof ClientGoneError) return 'senderDisconnected';
    if (error instanceof BodyRefusedError && error.code === 'BODY_TOO_LARGE')
      throw new WebhookRejectedError(
        'tooLarge',
        `The webhook is too large: it may have at most ${bodyLimitBytes} bytes, inflated.`,
      );
    throw error;
  }
}

async function scheduleHealthCheck(
  { stores, clock }: WebhookDeps,
  { id, health: { checkedAt } }: AccountRecord,
): Promise<void> {
  if (checkedAt === null || clock.now() - Date.parse(checkedAt) > RECENT_CHECK_MS)
    await stores.setup.scheduleCheck(id, 0);
}

/** Authenticates the sender before the body is read. An unknown account and a wrong secret give the same error. */
async function accountOf({ stores }: WebhookDeps, path: string): Promise<AccountRecord> {
  const [, , accountId = '', secret = ''] = path.split('/');
  const account = secret === '' ? null : await stores.setup.findAccountForWebhook(accountId, secret);
  if (account === null)
    throw new WebhookRejectedError(
      'unknownConnection',
      'No account is connected to this webhook URL. Query supportDrift to find outdated URLs.',
    );
  return account;
}
