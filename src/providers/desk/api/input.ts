import { z } from 'zod';
import { isDeskId } from '../database';
import { CAPABILITIES } from '../setup';
import { DeskApiError } from './http';
import type { NewAttachment } from '../messages';

/**
 * Limit for all files of one message together. Base64 makes the request a third larger, and it must fit the server's
 * body limit.
 */
export const MAX_FILES_BYTES = 5 * 1024 * 1024;
const MAX_FILES = 10;

const id = z.string().refine(isDeskId, 'is not an id');
const STATUSES = ['BOT_HELD', 'OPEN', 'ON_HOLD', 'RESOLVED'] as const;

export const listInput = z.object({
  status: z
    .string()
    .optional()
    .transform(text => text?.split(','))
    .pipe(z.array(z.enum(STATUSES)).optional()),
  /** `me`, `none`, or an agent's id. */
  agent: z.union([z.literal(['me', 'none']), id]).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

export const threadInput = z
  .object({ after: id.optional(), before: id.optional() })
  .refine(({ after, before }) => after === undefined || before === undefined, 'takes `after` or `before`, not both');

const file = z.strictObject({
  name: z
    .string()
    .trim()
    .min(1)
    .max(255)
    .regex(/^[^\u0000-\u001f\u007f]*$/, 'has control characters'),
  contentType: z
    .string()
    .max(255)
    .regex(/^[\w.+-]+\/[\w.+-]+$/, 'is not a media type, e.g. image/png'),
  /**
   * One character class without groups, so that a file of several megabytes does not exhaust the regular expression's
   * stack.
   */
  content: z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/, 'is not base64'),
});

export const messageInput = z
  .strictObject({
    text: z
      .string()
      .max(CAPABILITIES.maxTextLength)
      .default('')
      .transform(text => text.replaceAll('\u0000', '')),
    visibility: z.enum(['PUBLIC', 'INTERNAL']),
    attachments: z.array(file).max(MAX_FILES).default([]),
  })
  .refine(({ text, attachments }) => text.trim() !== '' || attachments.length > 0, {
    path: ['text'],
    message: 'is empty',
  });

export const assignInput = z
  .strictObject({ agentId: id.nullable().optional(), teamId: id.nullable().optional() })
  .refine(({ agentId, teamId }) => agentId !== undefined || teamId !== undefined, 'names neither an agent nor a team');

export const snoozeInput = z.strictObject({ until: z.iso.datetime({ offset: true }).nullable().default(null) });

export const emptyInput = z.strictObject({});

/** Parses a message together with the bytes of its files. */
export const sentMessage = messageInput.transform(message => ({ message, files: decodeUploads(message.attachments) }));

/**
 * Decodes uploaded files and checks their total size.
 * @throws DeskApiError `FILE_TOO_LARGE`
 */
function decodeUploads(files: z.output<typeof messageInput>['attachments']): NewAttachment[] {
  const decoded = files.map(({ name, contentType, content }) => {
    const bytes = Buffer.from(content, 'base64');
    return { name, content_type: contentType.toLowerCase(), size_bytes: bytes.length, content: bytes };
  });
  const total = decoded.reduce((sum, one) => sum + one.size_bytes, 0);
  if (total > MAX_FILES_BYTES)
    throw new DeskApiError(
      413,
      'FILE_TOO_LARGE',
      `The files have ${total} bytes, and the limit for one message is ${MAX_FILES_BYTES}; send them in several messages.`,
    );
  return decoded;
}
