import type { Clock } from '../ports/clock';
import type { MediaStore } from '../ports/media-store';
import type { RuntimePush } from '../ports/runtime-push';
import type { Stores } from '../ports/stores';
import type { TypingOutbox } from '../ports/typing';
import type { AccountAccess, InboxAccess, ProviderDefinition, SupportProvider } from '../ports/support-provider';
import type { MessageRecord } from '../message';
import type { AccountRecord, InboxRecord } from '../setup';
import type { FileKeeper } from './keep-file';

/** Durations in milliseconds. */
export interface FlowLimits {
  /** How long ENDING waits for the runtime to acknowledge what the agent said. */
  readonly drainMs: number;
  /** How long ENDING waits for a sync that shows what agents said before the end. */
  readonly endSyncMs: number;
  /**
   * How often an account with live handoffs is scanned for conversations that changed without a webhook, until webhooks have proved
   * themselves. Where a provider cannot be scanned: how often each live handoff's conversation is read.
   */
  readonly livePollMs: number;
  /** One provider call of a delivery or a reading. */
  readonly callMs: number;
  /** One call that brings files along. */
  readonly uploadMs: number;
  /** A whole set-up call, with all its remote steps. */
  readonly setupMs: number;
  /** How often an account is compared with what it should be. */
  readonly checkMs: number;
  /** Looking up a target that we have not listed yet, within requestHandoff. */
  readonly targetLookupMs: number;
  /** How often each account is asked which conversations changed. Left out: every five minutes. */
  readonly lookMs?: number;
  /** One call of a runtime's endpoint. */
  readonly pushMs: number;
  /** After how long of nothing but failures an endpoint is switched off. */
  readonly disableEndpointMs: number;
}

/** How long things are kept, in milliseconds, and where files are that go with messages. */
export interface Retention {
  readonly keepMs: Readonly<Record<'events' | 'messages' | 'deliveries' | 'idempotencyKeys' | 'sessions', number>>;
  readonly files: Pick<MediaStore, 'remove'>;
}

export interface KnownProvider { readonly definition: ProviderDefinition; readonly instance: SupportProvider }

export interface FlowDeps {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly limits: FlowLimits;
  readonly providers: ReadonlyMap<string, KnownProvider>;
  readonly push: RuntimePush;
  /** Says why a tenant's address is not called, with the next step, or null. If omitted: every address is called. */
  whyRefused?(url: string): Promise<string | null>;
  /** Our own link to a file of a message; expires. */
  fileUrl(message: MessageRecord, index: number, name: string): string;
  /** Left out: agents are never shown that an end-user types. */
  readonly typing?: TypingOutbox;
  /** Where providers reach us, without a trailing slash; empty: they cannot. */
  readonly publicUrl: string;
  /** Whether a provider at that base URL can come there. Left out: all can. */
  isReachedFrom?(baseUrl: string): boolean;
  /** Left out: nothing is ever removed. */
  readonly retention?: Retention;
  /** If omitted: no files are kept, and agents get the names of files only. */
  readonly files?: FileKeeper;
  /** A collision-free digest (SHA-256) of a text. */
  digest(text: string): string;
}

type Reach = Pick<FlowDeps, 'publicUrl' | 'isReachedFrom'>;

export function accessOf(deps: Reach, account: AccountRecord): AccountAccess {
  const { baseUrl } = account;
  const isReached = deps.publicUrl !== '' && (baseUrl === null || deps.isReachedFrom?.(baseUrl) !== false);
  return {
    accountId: account.id,
    externalId: account.externalId,
    baseUrl,
    settings: account.settings,
    credentials: account.credentials,
    webhookUrl: isReached ? `${deps.publicUrl}/webhooks/${account.id}/${account.webhookSecret}` : '',
  };
}

export function inboxAccessOf(deps: Reach, account: AccountRecord, inbox: InboxRecord): InboxAccess | null {
  if (inbox.externalId === null) return null;
  return { account: accessOf(deps, account), externalId: inbox.externalId, providerData: inbox.providerData };
}
