import type { Clock } from '../ports/clock';
import type { MediaStore } from '../ports/media-store';
import type { RuntimePush } from '../ports/runtime-push';
import type { Stores } from '../ports/stores';
import type { TypingOutbox } from '../ports/typing';
import type { AccountAccess, InboxAccess } from '../ports/provider/access';
import type { ProviderDefinition } from '../ports/provider/definition';
import type { SupportProvider } from '../ports/provider/support-provider';
import type { MessageRecord } from '../message';
import type { AccountRecord, InboxRecord } from '../setup';
import type { FileArchive } from '../ports/file-archive';

/** Durations in milliseconds. */
export interface FlowLimits {
  /** How long ENDING waits for the runtime to acknowledge agents' messages. */
  readonly drainMs: number;
  /** How long ENDING waits for a sync that shows agents' messages from before the end. */
  readonly endSyncMs: number;
  /**
   * How often an account with live handoffs is scanned for conversations that changed without a webhook, until webhooks
   * have proved themselves. If the provider cannot be scanned: how often each live handoff's conversation is synced.
   */
  readonly liveScanIntervalMs: number;
  /** The limit of one provider call of a delivery or a sync. */
  readonly callMs: number;
  /** The limit of one call that uploads files. */
  readonly uploadMs: number;
  /** The limit of a whole setup call with all its remote steps. */
  readonly setupMs: number;
  /** How often an account is inspected. */
  readonly checkMs: number;
  /** The limit for looking up an unknown target within requestHandoff. */
  readonly targetLookupMs: number;
  /** How often each account gets a full scan. If omitted: every five minutes. */
  readonly fullScanIntervalMs?: number;
  /** The limit of one call of a runtime's endpoint. */
  readonly pushMs: number;
  /** How long an endpoint must fail without a success until it is disabled. */
  readonly disableEndpointMs: number;
}

/** How long rows are kept, in milliseconds, and the store of messages' files. */
export interface Retention {
  readonly keepMs: Readonly<Record<'events' | 'messages' | 'deliveries' | 'idempotencyKeys' | 'sessions', number>>;
  readonly files: Pick<MediaStore, 'remove'>;
}

export interface RegisteredProvider {
  readonly definition: ProviderDefinition;
  readonly instance: SupportProvider;
}

/** The dependencies of flows that only read and write our own data. */
export interface StoreDeps {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly limits: FlowLimits;
}

/** The dependencies of flows that handle files of messages. */
export interface FileDeps extends StoreDeps {
  /** If omitted: no files are archived, and agents get only the names of files. */
  readonly files?: FileArchive;
}

/** The dependencies of flows that take an idempotency key. */
export interface MutationDeps extends FileDeps {
  /** Returns a collision-free digest (SHA-256) of a text. */
  digest(text: string): string;
}

/** The dependencies of flows that call providers. */
export interface ProviderDeps extends FileDeps {
  readonly providers: ReadonlyMap<string, RegisteredProvider>;
  /** The address at which providers reach this service, without a trailing slash. Empty: they cannot. */
  readonly publicUrl: string;
  /** Returns whether a provider at that base URL can reach this service. If omitted: all can. */
  isReachableFrom?(baseUrl: string): boolean;
}

/** The dependencies of flows that call a runtime's endpoint. */
export interface RuntimeDeps extends StoreDeps {
  readonly push: RuntimePush;
  /** Returns this service's own link to a file of a message. The link expires. */
  fileUrl(message: MessageRecord, index: number, name: string): string;
}

/** The dependencies of all flows. A flow takes the smallest of these interfaces that it needs. */
export interface FlowDeps extends MutationDeps, ProviderDeps, RuntimeDeps {
  /**
   * Returns why a tenant's address is not permitted, with the next step, or null if it is. If omitted: every address is
   * permitted.
   */
  addressProblem?(url: string): Promise<string | null>;
  /** If omitted: agents never see that an end-user types. */
  readonly typing?: TypingOutbox;
  /** If omitted: nothing is ever removed. */
  readonly retention?: Retention;
}

type PublicAddress = Pick<ProviderDeps, 'publicUrl' | 'isReachableFrom'>;

export function accessOf(deps: PublicAddress, account: AccountRecord): AccountAccess {
  const { baseUrl } = account;
  const isReached = deps.publicUrl !== '' && (baseUrl === null || deps.isReachableFrom?.(baseUrl) !== false);
  return {
    accountId: account.id,
    externalId: account.externalId,
    baseUrl,
    settings: account.settings,
    credentials: account.credentials,
    webhookUrl: isReached ? `${deps.publicUrl}/webhooks/${account.id}/${account.webhookSecret}` : '',
  };
}

export function inboxAccessOf(deps: PublicAddress, account: AccountRecord, inbox: InboxRecord): InboxAccess | null {
  if (inbox.externalId === null) return null;
  return { account: accessOf(deps, account), externalId: inbox.externalId, providerData: inbox.providerData };
}
