import { play, prepare, type Step } from './script';

const A = '/api/v1/accounts/1';
const JANE_SOURCE = 'ab8388a2-620d-4801-9c0b-10bc1f1ca285';

export const contactScript: Step[] = [
  play('contacts.create.200', {}, (theatre, { payload }) =>
    theatre.replacements.set(JANE_SOURCE, payload.contact_inbox.source_id),
  ),
  play('contacts.create.no_inbox.200'),
  play('contacts.create.empty.200'),
  play('contacts.create.source_id.200'),
  play('contacts.create.same_identifier.422'),
  play('contacts.create.same_email.422'),
  play('contacts.create.bad_email.422'),
  play('contacts.create.bad_phone.422'),
  play('contacts.get.200'),
  play('contacts.get.missing.404'),
  play('contacts.search.200'),
  play('contacts.filter.200'),
  play('contacts.update.200'),
  play('contacts.conversations.200'),
  play('contact_inboxes.create.200'),
  play('contact_inboxes.create.again.200'),
  prepare(theatre => theatre.call('BOT', 'POST', `${A}/contacts`, { name: 'Fifth', identifier: 'session-kmxmek-5' })),
  play('contact_inboxes.create.source_taken.500'),
  play('contact_inboxes.filter.200'),
];

export const creationScript: Step[] = [
  play('conversations.create.bad_status.500'),
  play('conversations.create.empty.404'),
  play('conversations.create.unknown_source.404'),
  prepare(theatre => theatre.replacements.set('630f9b99-f335-43b0-9df1-58b0f46c9c88', theatre.translate(JANE_SOURCE))),
  play('conversations.create.foreign_source.401'),
  play('conversations.create.200'),
  play('conversations.create.source_only.200'),
  play('conversations.create.no_source.200'),
  play('conversations.create.pending_team.200'),
  prepare(theatre => theatre.double.whenIdle()),
  // The recorded response already contains the activity line: its job was faster than the rendering.
  prepare(theatre => theatre.double.setActivityDelay(0)),
  play('conversations.create.absent_team.200'),
  prepare(theatre => theatre.double.setActivityDelay(1)),
];

const message = (body: Record<string, unknown>) =>
  prepare(theatre => theatre.call('BOT', 'POST', `${A}/conversations/1/messages`, body));

/** Messages 4 to 26 of the recorded server, in their order. */
export const messageScript: Step[] = [
  play('messages.create.incoming.200'),
  play('messages.create.same_source_id.200'),
  play('messages.create.outgoing.200'),
  play('messages.create.private.200'),
  play('messages.create.private_incoming.200'),
  message({ content: 'default type?' }),
  play('messages.create.in_reply_to.200'),
  play('messages.create.in_reply_to_external.200'),
  message({ content: 'answering you', message_type: 'incoming', content_attributes: { in_reply_to: 999999 } }),
  play('messages.create.empty.200'),
  message({ content: '', message_type: 'incoming' }),
  play('messages.create.activity.200'),
  play('messages.create.template.200'),
  play('messages.create.input_select.200'),
  play('messages.create.bad_type.422'),
  play('messages.create.bad_content_type.422'),
  play('messages.create.cards_invalid.422'),
  play('messages.create.nul_byte.422'),
  message({ content: 'x'.repeat(150_000), message_type: 'incoming' }),
  message({ content: '**bold** <script>alert(1)</script> 😀 ?', message_type: 'outgoing' }),
  play('messages.create.liquid.200'),
  message({ content: 'Hello {{contact.name}}', message_type: 'incoming' }),
  play('messages.create.external_created_at.200'),
  play('messages.create.as_agent_bot.200'),
  play('messages.create.attachments.200'),
  play('messages.create.attachment_string.422'),
  play('messages.create.attachment_url.422'),
  prepare(theatre => theatre.advance(4000)),
  play('messages.create.16_attachments.200'),
  play('messages.create.agent_attachment.200'),
  play('messages.create.missing_conversation.404'),
  prepare(theatre => theatre.double.whenIdle()),
  prepare(theatre => theatre.double.syncAvatar(1)),
];

/** The recordings were seconds apart; here each activity line is awaited. */
const waitUntilIdle = prepare(theatre => theatre.double.whenIdle());
const assign = (body: Record<string, unknown>) =>
  prepare(theatre => theatre.call('BOT', 'POST', `${A}/conversations/1/assignments`, body));

export const handlingScript: Step[] = [
  play('conversations.toggle_status.no_params.200'),
  waitUntilIdle,
  play('conversations.toggle_status.open.200'),
  waitUntilIdle,
  play('conversations.toggle_status.open_again.200'),
  waitUntilIdle,
  play('conversations.toggle_status.bad.500'),
  play('conversations.toggle_status.pending.200'),
  waitUntilIdle,
  play('conversations.toggle_status.snoozed.200'),
  waitUntilIdle,
  play('conversations.get.200'),
  play('conversations.get.missing.404'),
  play('conversations.toggle_status.open_by_agent.200'),
  waitUntilIdle,
  play('assignments.agent.200'),
  waitUntilIdle,
  play('assignments.agent_not_in_inbox.200'),
  waitUntilIdle,
  play('conversations.get.assignee_not_in_inbox.401'),
  play('assignments.agent_missing.200'),
  waitUntilIdle,
  play('assignments.agent_other_account.200'),
  play('assignments.agent_null.200'),
  play('assignments.empty.200'),
  play('assignments.team.200'),
  waitUntilIdle,
  assign({ assignee_id: 4 }),
  waitUntilIdle,
  play('assignments.both.200'),
  waitUntilIdle,
  assign({ team_id: 2 }),
  waitUntilIdle,
  assign({ team_id: 1 }),
  waitUntilIdle,
  play('assignments.team_missing.200'),
  waitUntilIdle,
  play('assignments.team_zero.200'),
  play('assignments.agent_bot.200'),
  waitUntilIdle,
  assign({ assignee_id: 4 }),
  waitUntilIdle,
  play('conversations.custom_attributes.200'),
  play('conversations.labels.create.200'),
  waitUntilIdle,
  play('conversations.labels.list.200'),
  play('conversations.toggle_priority.200'),
  waitUntilIdle,
  play('conversations.toggle_priority.bad.500'),
  // As with the absent team: the job was faster than the rendering.
  prepare(theatre => theatre.double.setActivityDelay(0)),
  play('conversations.update.200'),
  prepare(theatre => theatre.double.setActivityDelay(1)),
  play('conversations.toggle_typing_status.200'),
  prepare(theatre =>
    theatre.call('ALICE', 'POST', `${A}/conversations/1/toggle_typing_status`, {
      typing_status: 'off',
      is_private: false,
    }),
  ),
  waitUntilIdle,
  play('conversations.update_last_seen.200'),
  play('conversations.unread.200'),
  play('conversations.transcript.no_email.422'),
];

const replyPath = (theatre: { remembered: Record<string, unknown> }, rest = '') => ({
  path: `${A}/conversations/1/messages/${theatre.remembered['reply']}${rest}`,
});

export const deliveryStateScript: Step[] = [
  play('messages.create.agent_reply.200', {}, (theatre, reply) => {
    theatre.remembered['reply'] = reply.id;
  }),
  play('messages.update.delivered.200', theatre => replyPath(theatre)),
  play('messages.update.failed.200', theatre => replyPath(theatre)),
  play('messages.retry.200', theatre => replyPath(theatre, '/retry')),
  play('messages.update.bad_status.200', theatre => replyPath(theatre)),
  play('messages.update.content.200', theatre => replyPath(theatre)),
  play('messages.delete.200', theatre => replyPath(theatre)),
  play('messages.delete.missing.404'),
  waitUntilIdle,
];

/** From here on the ids of messages and conversations must be the recorded ones, because they delimit the pages. */
export const listScript: Step[] = [
  play('messages.list.200'),
  play('messages.list.after.200'),
  play('messages.list.before.200'),
  play('conversations.list.200'),
  play('conversations.meta.200'),
  play('conversations.search.200'),
  play('conversations.filter.bad.422'),
  play('conversations.filter.undefined_attribute.422'),
  play('custom_attribute_definitions.create.200'),
  play('conversations.filter.custom_attribute.200'),
  play('conversations.filter.status.200'),
];
