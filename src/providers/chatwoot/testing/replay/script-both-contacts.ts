import { each, type SharedReplayStep } from './shared-replay-step';

const CREATED = [
  'base',
  'source_taken',
  'source_taken_same_identifier',
  'identifier_taken',
  'email_taken',
  'email_taken_case',
  'phone_taken',
  'two_taken',
  'identifier_case',
  'email_blank',
  'email_blank_again',
  'phone_blank',
  'identifier_blank',
  'identifier_blank_again',
  'name_255',
  'name_256',
  'name_5000',
  'name_300_emoji',
  'name_newline',
  'name_emoji',
  'name_nul',
  'name_bidi',
  'name_lone_surrogate',
  'name_blank',
  'name_null',
  'name_number',
  'name_object',
  'identifier_256',
  'identifier_5000',
  'identifier_nul',
  'identifier_space',
  'identifier_number',
  'source_300',
  'source_slash',
  'source_blank',
  'attrs_bad',
  'attrs_nested',
  'attrs_nul',
  'email_invalid_tld',
  'phone_bad',
];

export const contacts: SharedReplayStep = async replay => {
  const other = await replay.newInbox('Botted');
  await each(replay, 'contacts.create.', CREATED, { inbox: replay.inbox });
  await replay.play('contacts.create.source_taken_other_inbox', { inbox: other.id });
  await replay.play('contacts.create.inbox_missing');
};

export const contactChanges: SharedReplayStep = async replay => {
  const conversation = await replay.conversation();
  await replay.say(conversation, 'hi', { message_type: 'incoming' });
  const { meta } = await replay.call('GET', `/conversations/${conversation}`);
  const contact: number = meta.sender.id;
  const at = { contact };
  const taken = { email: 'o-000000@example.test', identifier: 'id-taken0', phone_number: '+4916276260516' };
  await replay.contact(taken);
  await each(
    replay,
    'contacts.update.',
    ['name', 'email', 'phone', 'identifier', 'attrs1', 'attrs2', 'attrs3', 'additional', 'additional2'],
    at,
  );
  await replay.play('contacts.update.email_taken', { ...at, body: { email: taken.email } });
  await replay.play('contacts.update.identifier_taken', { ...at, body: { identifier: taken.identifier } });
  await replay.play('contacts.update.phone_taken', { ...at, body: { phone_number: taken.phone_number } });
  await each(
    replay,
    'contacts.update.',
    ['name_256', 'email_blank', 'email_null', 'identifier_null', 'name_null', 'name_blank', 'nothing', 'name_back'],
    at,
  );
  await replay.call('PUT', `/contacts/${contact}`, { name: 'Patched' });
  await replay.play('contacts.destroy_custom_attributes', at);
  for (const name of ['plain', 'botted']) {
    const inbox = name === 'plain' ? replay.inbox : (await replay.newInbox('Botted')).id;
    const id = await replay.conversation({}, inbox);
    await replay.say(id, 'hi', { message_type: 'incoming' });
    await replay.play(`contacts.update.blocked_${name}`, {
      contact: (await replay.call('GET', `/conversations/${id}`)).meta.sender.id,
    });
  }
};

export const merging: SharedReplayStep = async replay => {
  const base = await replay.contact({ name: 'Base', custom_attributes: { keep: 'base', only_b: 1 } });
  const mergee = await replay.contact({
    name: 'Mergee',
    email: 'mg-000000@example.test',
    custom_attributes: { keep: 'mergee', only_a: 1 },
  });
  await replay.play('contacts.merge.two_with_conversations', {
    body: { base_contact_id: base.id, mergee_contact_id: mergee.id },
  });
  const { id: contact, sourceId } = await replay.contact();
  await replay.play('contact_inboxes.create.second_source', { contact, inbox: replay.inbox });
  const open = async (source_id: string) =>
    (await replay.call('POST', '/conversations', { inbox_id: replay.inbox, contact_id: contact, source_id }))
      .id as number;
  const one = await open(sourceId);
  const two = await open(sourceId);
  const three = await open('second-93k48j');
  await replay.say(one, 'in one', { message_type: 'incoming' });
  await replay.say(two, 'in two', { message_type: 'incoming' });
  await replay.say(three, 'in three', { message_type: 'incoming' });
  await replay.say(two, 'reply in two', {}, 'ALICE');
  // There are three; the database does not define their order.
  await replay.play('contacts.conversations.several', { contact, ignore: ['payload[0]', 'payload[1]', 'payload[2]'] });
};
