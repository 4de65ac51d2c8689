import type { Answer } from './replay';

export interface Expected {
  /** Returns whether this body is the recorded one; the first match is used. */
  fits: (body: Answer) => boolean;
  /** Fields in which the recording caught a request half done; each case says which. */
  ignore?: string[];
}

const said = (content: string | null): Expected => ({ fits: body => body.content === content });
const became = (status: string): Expected => ({ fits: body => body.id === 1 && body.status === status });
const changed = (...names: string[]): Expected => ({
  fits: body => {
    const keys = (body.changed_attributes ?? [])
      .flatMap((one: object) => Object.keys(one))
      .filter((key: string) => key !== 'updated_at');
    return keys.sort().join() === names.sort().join();
  },
});
const hello = (body: Answer) => body.content === 'Hello, Alice here';

/** The webhooks of the first recordings of 4.10, and how to recognize each. */
export const EXPECTED: Record<string, Expected> = {
  'agent_bot.conversation_opened': { fits: () => true },
  'agent_bot.conversation_resolved': { fits: () => true },
  'agent_bot.message_created.agent_reply': said('alice speaking'),
  'agent_bot.message_created.incoming': said('hello bot'),
  'agent_bot.message_created.outgoing_own': said('beep'),
  'contact_created.account': { fits: body => body.id === 1 },
  'contact_updated.account': changed('name', 'custom_attributes'),
  // Built after the first message was stored and before it counted as first reply.
  'conversation_created.account': { fits: body => body.id === 1, ignore: ['first_reply_created_at', 'waiting_since'] },
  'conversation_created.inbox': { fits: body => body.id === 1, ignore: ['first_reply_created_at', 'waiting_since'] },
  'conversation_status_changed.bot_handoff.inbox': { fits: body => body.status === 'open' },
  'conversation_status_changed.open.inbox': became('open'),
  'conversation_status_changed.pending.inbox': became('pending'),
  // Built before the visitor's message started the waiting time.
  'conversation_status_changed.reopened.inbox': {
    fits: body => body.meta.sender.name === 'Returner' && body.status === 'open',
    ignore: ['waiting_since'],
  },
  'conversation_status_changed.resolved.inbox': became('resolved'),
  'conversation_status_changed.snoozed.inbox': became('snoozed'),
  'conversation_typing_off.agent.inbox': { fits: () => true },
  'conversation_typing_on.agent.inbox': { fits: body => body.user.type === 'user' },
  'conversation_typing_on.contact.inbox': { fits: body => body.user.type === undefined },
  'conversation_updated.agent_bot_assigned.inbox': changed('assignee_agent_bot_id'),
  'conversation_updated.assigned.inbox': {
    fits: body =>
      body.changed_attributes.some(
        (one: Answer) => one.assignee_id?.previous_value === 4 && one.assignee_id.current_value === 5,
      ),
  },
  'conversation_updated.bot_handoff.inbox': changed('status'),
  'conversation_updated.custom_attributes.inbox': changed('custom_attributes'),
  'conversation_updated.labels.inbox': changed('cached_label_list', 'label_list'),
  'conversation_updated.resolved.inbox': changed('status'),
  'conversation_updated.team_assigned.inbox': changed('team_id'),
  'conversation_updated.unassigned.inbox': changed('assignee_id', 'team_id'),
  'conversation_updated.waiting_since.account': changed('waiting_since'),
  'message_created.agent_attachment.inbox': {
    fits: body => body.message_type === 'outgoing' && body.attachments !== undefined,
  },
  'message_created.agent_reply.account': said('Hello, Alice here'),
  'message_created.agent_reply.inbox': said('Hello, Alice here'),
  // As above: the waiting time had not started yet.
  'message_created.attachments.inbox': { ...said('see the file'), ignore: ['conversation.waiting_since'] },
  'message_created.csat_request.inbox': { fits: body => body.content_type === 'input_csat' },
  'message_created.greeting.inbox': said('Welcome to us!'),
  'message_created.in_reply_to.inbox': {
    fits: body =>
      body.message_type === 'incoming' && body.content_attributes.in_reply_to_external_id === 'ext-kmxmek-1',
  },
  'message_created.incoming.account': said('Hi, I am the visitor'),
  'message_created.incoming.inbox': said('Hi, I am the visitor'),
  'message_created.input_select.inbox': said('pick'),
  'message_created.out_of_office.inbox': said('We are closed'),
  'message_created.outgoing.agent_bot.inbox': said('as agent bot'),
  'message_created.outgoing.bridge_user.inbox': said('I am the bot'),
  'message_created.private_note.inbox': said('Transcript so far: …'),
  'message_created.url_basic_auth.inbox': said('reply while has basic auth in the URL'),
  'message_created.url_query_key.inbox': said('reply while has a query string'),
  'message_updated.csat_answer.inbox': { fits: body => body.content_attributes.submitted_values !== undefined },
  'message_updated.deleted.account': { fits: body => body.content_attributes.deleted === true },
  'message_updated.deleted.inbox': { fits: body => body.content_attributes.deleted === true },
  'message_updated.delivery_failed.account': said('reply while answers 500'),
  'message_updated.status_delivered.inbox': {
    fits: body => hello(body) && body.conversation.messages[0].status === 'delivered',
  },
  'message_updated.status_failed.inbox': {
    fits: body => hello(body) && body.content_attributes.external_error !== undefined,
  },
  'message_updated.status_read.inbox': { fits: body => body.private === true && body.content === 'private' },
};
