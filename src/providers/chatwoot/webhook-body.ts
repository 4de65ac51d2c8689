import { z } from 'zod';
import { WebhookRejectedError } from '../../core/request-errors';

/*
 * Parses the parts of a webhook that say which conversation to sync. Nothing else in it is trusted. Any sender who
 * knows the address can send any JSON, so a field of another shape counts as absent. Only an account or event of
 * another shape refuses the whole webhook: without them its subject is unknown.
 */

const scalar = z.union([z.number(), z.string()]);
const optionalOf = <Schema extends z.ZodType>(schema: Schema) => schema.nullish().catch(undefined);
const part = <Shape extends z.ZodRawShape>(shape: Shape) => optionalOf(z.object(shape));
const record = optionalOf(
  z.custom<Readonly<Record<string, unknown>>>(
    value => typeof value === 'object' && value !== null && !Array.isArray(value),
  ),
);

const person = {
  id: z.number(),
  name: optionalOf(z.string()),
  available_name: optionalOf(z.string()),
  type: optionalOf(z.string()),
};
const meta = part({
  assignee: part(person),
  assignee_type: optionalOf(z.string()),
  team: part({ id: z.number() }),
  sender: part({ identifier: optionalOf(z.string()) }),
});

const Body = z.object({
  event: z.string(),
  account: z.object({ id: scalar.nullish() }).nullish(),
  id: optionalOf(scalar),
  inbox_id: optionalOf(scalar),
  inbox: part({ id: optionalOf(scalar) }),
  conversation: part({
    id: optionalOf(scalar),
    inbox_id: optionalOf(scalar),
    contact_inbox: part({ source_id: optionalOf(z.string()) }),
    meta,
  }),
  message_type: optionalOf(z.string()),
  sender: part({ id: optionalOf(scalar), type: optionalOf(z.string()) }),
  content_attributes: record,
  /** A list of objects whose keys are the changed attributes. */
  changed_attributes: optionalOf(z.array(z.unknown())),
  private: optionalOf(z.boolean()),
  status: optionalOf(z.string()),
  meta,
  /** The user who types. */
  user: part({ id: optionalOf(scalar), type: optionalOf(z.string()) }),
  is_private: optionalOf(z.boolean()),
});
export type WebhookBody = z.output<typeof Body>;

/**
 * Parses a webhook's body. Throws nothing else, whatever was sent.
 * @throws WebhookRejectedError `malformed`
 */
export function parseWebhookBody(rawBody: Buffer): WebhookBody {
  let given: unknown;
  try {
    given = JSON.parse(rawBody.toString('utf8'));
  } catch {
    throw new WebhookRejectedError('malformed', 'The Chatwoot webhook is not JSON; it was refused.');
  }
  const { data, error } = Body.safeParse(given);
  if (error !== undefined)
    throw new WebhookRejectedError(
      'malformed',
      error.issues[0]?.path[0] === 'account'
        ? 'The Chatwoot webhook has an account of an unknown shape; it was refused.'
        : 'The Chatwoot webhook names no event; it was refused.',
    );
  return data;
}
