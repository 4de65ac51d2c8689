import type { ProviderAccountId, ProviderConversationId } from '../../ids';
import type { Person } from './setup-verbs';
import type { SupportProvider } from './support-provider';

/** The services that the process gives to a provider at creation. */
export interface ProviderHost {
  /** Gives an in-process hint with the meaning of a webhook: sync this conversation soon. Never throws; may be lost. */
  hint(accountId: string, conversationId: ProviderConversationId): void;
  /** The process's database, for a provider with its own tables, migrations and table prefix. */
  readonly database: {
    query(text: string, values?: readonly unknown[]): Promise<{ rows: any[]; rowCount: number | null }>;
    transaction<T>(
      work: (
        query: (text: string, values?: readonly unknown[]) => Promise<{ rows: any[]; rowCount: number | null }>,
      ) => Promise<T>,
    ): Promise<T>;
  };
  /**
   * The only client for addresses that tenants gave. It connects to permitted addresses only, also after redirects.
   * Responses may have any length, so read them up to a limit (`core/read-at-most.ts`).
   * @throws AddressRefusedError, and as `fetch`
   */
  readonly fetch: typeof fetch;
  /**
   * Returns how many processes on this database currently call remotes, including this one. They share the rate limit
   * of a remote.
   */
  replicas(): number;
  now(): number;
  log(level: 'info' | 'warn' | 'error', message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** A request to a page or API that a provider serves itself, mounted at `/providers/<name>/…`. */
export interface ProviderHttpRequest {
  readonly method: string;
  /** The path below the mount point; starts with `/`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /**
   * Reads the whole body, decompressed. Call it at most once, and only after checking the headers and the caller, so
   * that a refused caller costs no reading.
   * @throws errors for which `isAboutRequest` holds; the page must not catch them
   */
  readBody(): Promise<Buffer>;
  readonly caller: { readonly organizationId: string; readonly role: string; readonly userId: string | null } | null;
}

export interface ProviderHttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /**
   * An iterator is an endless response of type `text/event-stream`. Its items are sent as they come, and `return` is
   * called when the reader leaves or the service stops. It counts as an event stream (SUPPORT_MAX_SOCKETS), not as a
   * page call.
   */
  readonly body: string | Buffer | AsyncIterableIterator<string>;
}

/** One entry of the provider registry. */
export interface ProviderDefinition {
  readonly name: string;
  /** One sentence for operators. */
  readonly title: string;
  /** Checks an operator's settings and credentials. Returns all problems at once; each names its field. */
  parseSettings(input: {
    readonly baseUrl: string | null;
    readonly settings: Readonly<Record<string, unknown>>;
    readonly credentials: Readonly<Record<string, string>>;
    /** The provider's account that this account is linked to. If omitted: none yet. */
    readonly externalId?: ProviderAccountId | null;
  }): { readonly problems: readonly { readonly field: string; readonly message: string }[] };
  /**
   * Returns the stored credentials that stay valid next to the given ones. Called by every enableSupport of an existing
   * account, before parseSettings checks both together. If omitted: all stay, and given ones replace those of the same
   * name.
   */
  mergeCredentials?(
    known: Readonly<Record<string, string>>,
    given: Readonly<Record<string, string>>,
  ): Readonly<Record<string, string>>;
  /** True: the provider calls the account's base URL, so enableSupport refuses an address that is not permitted. */
  readonly callsBaseUrl?: true;
  create(host: ProviderHost): SupportProvider;
  /**
   * Returns whether the HTTP surface serves this path to everybody: a page without data, or a file whose address is the
   * proof. The caller is not identified there, so `caller` is null. Called for each request. If omitted: no path is
   * open.
   */
  isOpen?(path: string): boolean;
  /** The provider's own HTTP surface. */
  routes?(host: ProviderHost): (request: ProviderHttpRequest) => Promise<ProviderHttpResponse>;
  /** The page on which a person can act as an agent on a first run, below the mount point. The playground shows it. */
  readonly agentPage?: string;
  /**
   * The enableSupport input for the example organization of a first run: teams and agents for the playground. At most
   * one provider has it, and it must need nothing outside this process.
   */
  readonly example?: { readonly settings: Readonly<Record<string, unknown>>; readonly owners: readonly Person[] };
}
