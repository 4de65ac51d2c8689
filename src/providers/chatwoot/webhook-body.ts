import { z } from 'zod';
import { WebhookRejectedError } from '../../core/errors';

/*
 * Parses the parts of a webhook that say which conversation to sync. Nothing else in it is trusted. Any sender who
 * knows the address can send any JSON, so a field of another shape counts as absent. Only an account or event of
 * another shape refuses the whole webhook: without them its subject is unknown.
 */

const scalar = z.union([z.number(), z.string()]);
const lenient = <Schema extends z.ZodType>(schema: Schema) => schema.nullish().catch(undefined);
const part = <Shape extends z.ZodRawShape>(shape: Shape) => lenient(z.object(shape));
const record = lenient(z.custom<Readonly<Record<string, unknown>>>((value) => typeof value === 'object' && value !== null && !Array.isArray(value)));

const person = { id: z.number(), name: lenient(z.string()), available_name: lenient(z.string()), type: lenient(z.string()) };
const meta = part({ assignee: part(person), assignee_type: lenient(z.string()), team: part({ id: z.number() }), sender: part({ identifier: lenient(z.string()) }) });

const Body = z.object({
  event: z.string(),
  account: z.object({ id: scalar.nullish() }).nullish(),
  id: lenient(scalar),
  inbox_id: lenient(scalar),
  inbox: part({ id: lenient(scalar) }),
  conversation: part({ id: lenient(scalar), inbox_id: lenient(scalar), contact_inbox: part({ source_id: lenient(z.string()) }), meta }),
  message_type: lenient(z.string()),
  sender: part({ id: lenient(scalar), type: lenient(z.string()) }),
  content_attributes: record,
  /** A list of objects whose keys are the changed attributes. */
  changed_attributes: lenient(z.array(z.unknown())),
  private: lenient(z.boolean()),
  status: lenient(z.string()),
  meta,
  /** The user who types. */
  user: part({ id: lenient(scalar), type: lenient(z.string()) }),
  is_private: lenient(z.boolean()),
});
export type WebhookBody = z.output<typeof Body>;

/**
 * Parses a webhook's body. Throws nothing else, whatever was sent.
 * @throws WebhookRejectedError `malformed`
 */
export function webhookBody(rawBody: Buffer): WebhookBody {
  let given: unknown;
  try {
    given = JSON.parse(rawBody.toString('utf8'));
  } catch {
    throw new WebhookRejectedError('malformed', 'The Chatwoot webhook is not JSON; it was refused.');
  }
  const { data, error } = Body.safeParse(given);
  if (error !== undefined)
    throw new WebhookRejectedError('malformed', error.issues[0]?.path[0] === 'account' ? 'The Chatwoot webhook has an account of an unknown shape; it was refused.' : 'The Chatwoot webhook names no event; it was refused.');
  return data;
}
