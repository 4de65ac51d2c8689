import { ProviderUnavailableError } from '../../core/errors';

/** The fields of Chatwoot's JSON that we read. Everything else may come and go between versions. */
export interface WirePerson {
  readonly id: number;
  readonly name?: string | null;
  readonly available_name?: string | null;
  readonly email?: string | null;
  readonly type?: string | null;
  readonly role?: string | null;
  /** False while an invitation has not been followed. */
  readonly confirmed?: boolean | null;
  readonly custom_attributes?: Readonly<Record<string, unknown>> | null;
}

export interface WireAttachment {
  readonly data_url?: string | null;
  readonly file_type?: string | null;
  /** From 4.13 on. */
  readonly content_type?: string | null;
  readonly file_size?: number | null;
  readonly extension?: string | null;
  readonly coordinates_lat?: number | null;
  readonly coordinates_long?: number | null;
  readonly fallback_title?: string | null;
}

export interface WireMessage {
  readonly id: number;
  readonly content?: string | null;
  readonly message_type: number;
  readonly private?: boolean;
  /** Unix seconds. */
  readonly created_at: number;
  readonly content_type?: string | null;
  readonly status?: string | null;
  readonly source_id?: string | null;
  readonly content_attributes?: Readonly<Record<string, unknown>> | null;
  readonly sender?: WirePerson | null;
  readonly attachments?: readonly WireAttachment[];
}

export interface WireConversation {
  readonly id: number;
  readonly uuid?: string | null;
  readonly inbox_id: number;
  readonly status: string;
  readonly priority?: string | null;
  readonly custom_attributes?: Readonly<Record<string, unknown>> | null;
  readonly additional_attributes?: Readonly<Record<string, unknown>> | null;
  /** Unix seconds, 0 for never. */
  readonly agent_last_seen_at?: number | null;
  readonly meta: {
    readonly assignee?: WirePerson | null;
    /** `User` or `AgentBot`; from 4.8 on. */
    readonly assignee_type?: string | null;
    readonly team?: { readonly id: number } | null;
    /** The contact. */
    readonly sender?: { readonly identifier?: string | null } | null;
  };
}

export interface WireContact {
  readonly id: number;
  readonly name?: string | null;
  readonly email?: string | null;
  readonly phone_number?: string | null;
  readonly custom_attributes?: Readonly<Record<string, unknown>> | null;
  readonly additional_attributes?: Readonly<Record<string, unknown>> | null;
  readonly contact_inboxes?: readonly { readonly source_id: string; readonly inbox?: { readonly id: number } | null }[];
}

export interface WireInbox {
  readonly id: number;
  readonly name: string;
  readonly webhook_url?: string | null;
  readonly enable_auto_assignment?: boolean;
  readonly inbox_identifier?: string | null;
  /** Signs this inbox's webhooks; from 4.13 on, administrators only. */
  readonly secret?: string | null;
  readonly additional_attributes?: Readonly<Record<string, unknown>> | null;
}

export interface WireAgentBot {
  readonly id: number;
  readonly name?: string | null;
  readonly outgoing_url?: string | null;
  readonly description?: string | null;
  readonly access_token?: string;
}

export interface WireProfile {
  readonly id: number;
  readonly name?: string | null;
  readonly accounts?: readonly { readonly id: number; readonly role?: string | null }[];
}

/** An id out of an answer, as the text that the core keeps. */
export function idIn(answer: unknown, what: string): string {
  const id = (answer as { id?: unknown } | null | undefined)?.id;
  if (!Number.isSafeInteger(id))
    throw new ProviderUnavailableError(`Chatwoot answered without the id of the ${what}.`, { delivered: 'unknown' });
  return String(id);
}

export function listIn<Row>(answer: unknown, what: string): readonly Row[] {
  if (!Array.isArray(answer)) throw new ProviderUnavailableError(`Chatwoot answered without a list of ${what}.`);
  return answer as Row[];
}

/** The name that end-users see: the person's display name when they chose one. */
export const shownName = (person: WirePerson): string => person.available_name || person.name || '';
