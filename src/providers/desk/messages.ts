import { randomBytes } from 'node:crypto';
import { fitFileName } from '../../core/checks/file-name';
import type { DeskConversation } from './conversation';
import type { Query } from './database';
import type { DeskAttachmentRow, DeskMessageRow } from './entities';

export type NewAttachment = Pick<DeskAttachmentRow, 'name' | 'content_type'> & {
  readonly size_bytes: number | null;
  readonly content: Buffer;
};

export interface NewMessage
  extends Pick<DeskMessageRow, 'our_id' | 'author' | 'visibility' | 'agent_id' | 'author_name' | 'text'> {
  readonly attachments: readonly NewAttachment[];
  readonly at: string;
}

/**
 * Inserts a message into a conversation whose row is locked, once per `our_id`. A repeat returns the first message's id
 * and changes nothing.
 */
export async function insertMessage(
  query: Query,
  { id }: Pick<DeskConversation, 'id'>,
  message: NewMessage,
): Promise<{ readonly id: string; readonly isNew: boolean }> {
  if (message.our_id !== null) {
    const {
      rows: [known],
    } = await query('select id from desk_message where conversation_id = $1 and our_id = $2', [id, message.our_id]);
    if (known) return { id: known.id, isNew: false };
  }
  const {
    rows: [made],
  } = await query(
    `
    insert into desk_message (conversation_id, our_id, kind, author, visibility, agent_id, author_name, text, created_at)
    values ($1, $2, 'SPEECH', $3, $4, $5, $6, $7, $8) returning id`,
    [
      id,
      message.our_id,
      message.author,
      message.visibility,
      message.agent_id,
      message.author_name,
      message.text,
      message.at,
    ],
  );
  for (const file of message.attachments)
    await query(
      `
      insert into desk_attachment (message_id, name, content_type, size_bytes, content, token) values ($1, $2, $3, $4, $5, $6)`,
      [
        made.id,
        fitFileName(file.name, file.content_type),
        file.content_type,
        file.size_bytes,
        file.content,
        randomBytes(32).toString('base64url'),
      ],
    );
  return { id: made.id, isNew: true };
}

/**
 * Deletes the text and files of one of the core's messages; its row stays. Returns false if there is no such message or
 * it was deleted before.
 */
export async function clearMessage(
  query: Query,
  { id }: Pick<DeskConversation, 'id'>,
  messageId: string,
  now: string,
): Promise<boolean> {
  const { rowCount } = await query(
    `
    update desk_message set text = '', deleted_at = $3 where conversation_id = $1 and id = $2 and our_id is not null and deleted_at is null`,
    [id, messageId, now],
  );
  if (rowCount === 0) return false;
  await query('delete from desk_attachment where message_id = $1', [messageId]);
  return true;
}

export interface ShownAttachment {
  readonly id: string;
  readonly name: string;
  readonly contentType: string;
  readonly sizeBytes: number | null;
  /**
   * A path below this service's root that contains the token. For files from before the desk stored them, the
   * end-user's own address.
   */
  readonly url: string;
}

/** Returns the files of the given messages by message id, without their contents. */
export async function attachmentsOf(
  query: Query,
  messageIds: readonly string[],
): Promise<ReadonlyMap<string, readonly ShownAttachment[]>> {
  const found = new Map<string, ShownAttachment[]>();
  if (messageIds.length === 0) return found;
  const { rows } = await query(
    `
    select id, message_id, name, content_type, size_bytes, url, token from desk_attachment
    where message_id = any($1::bigint[]) order by id`,
    [messageIds],
  );
  for (const { id, message_id, name, content_type, size_bytes, url, token } of rows)
    found.set(message_id, [
      ...(found.get(message_id) ?? []),
      {
        id,
        name,
        contentType: content_type,
        sizeBytes: size_bytes === null ? null : Number(size_bytes),
        url: url ?? filePath(token, name),
      },
    ]);
  return found;
}

/**
 * Returns a file's path below the service's root. Only the token is looked up; the name serves as the file name when a
 * browser saves it.
 */
const filePath = (token: string, name: string): string => `/providers/desk/files/${token}/${encodeURIComponent(name)}`;

/**
 * Returns the id of the newest message of a locked conversation, or null if it has none. Because of the lock, no newer
 * one appears before the transaction ends.
 */
export async function findNewestMessage(query: Query, { id }: { readonly id: string }): Promise<string | null> {
  const {
    rows: [row],
  } = await query('select max(id) as newest from desk_message where conversation_id = $1', [id]);
  return row?.newest ?? null;
}
