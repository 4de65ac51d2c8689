import { ProviderUnavailableError } from '../../core/errors';

/** The fields of Chatwoot's JSON that this service reads. All others may change between versions. */
export interface WirePerson {
  readonly id: number;
  readonly name?: string | null;
  readonly available_name?: string | null;
  readonly email?: string | null;
  readonly type?: string | null;
  readonly role?: string | null;
  /** False until the user has followed the invitation. */
  readonly confirmed?: boolean | null;
  readonly custom_attributes?: Readonly<Record<string, unknown>> | null;
}

export interface WireAttachment {
  readonly data_url?: string | null;
  readonly file_type?: string | null;
  /** Since 4.13. */
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
  /** Unix seconds; 0 means never. */
  readonly agent_last_seen_at?: number | null;
  /** Contains only the newest message, of any kind. */
  readonly messages?: readonly { readonly id: number }[];
  /** The newest message that is not an activity line. */
  readonly last_non_activity_message?: { readonly id: number } | null;
  readonly meta: {
    readonly assignee?: WirePerson | null;
    /** `User` or `AgentBot`; since 4.8. */
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
  /** Signs this inbox's webhooks. Since 4.13, visible to administrators only. */
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

/** Returns the id in a response, as text, as the core stores it. */
export function readId(answer: unknown, what: string): string {
  const id = (answer as { id?: unknown } | null | undefined)?.id;
  if (!Number.isSafeInteger(id))
    throw new ProviderUnavailableError(
      `Chatwoot's response lacks the id of the ${what}. Check that the base URL leads to Chatwoot itself.`,
      { delivered: 'unknown' },
    );
  return String(id);
}

export function readList<Row>(answer: unknown, what: string): readonly Row[] {
  if (!Array.isArray(answer))
    throw new ProviderUnavailableError(
      `Chatwoot's response lacks the list of ${what}. Check that the base URL leads to Chatwoot itself.`,
    );
  return answer as Row[];
}

/** Returns the name that end-users see: the display name if the person chose one. */
export const displayName = (person: WirePerson): string => person.available_name || person.name || '';
