import type { SharedReplay } from './shared-replay';
import type { Answer } from './replay';

type Scene = (replay: SharedReplay) => Promise<unknown>;

const incoming = async (replay: SharedReplay, text: string): Promise<number> => {
  const conversation = await replay.conversation();
  await replay.say(conversation, text, { message_type: 'incoming' });
  await replay.whenIdle();
  return conversation;
};

const rule = (replay: SharedReplay, word: string, actions: readonly object[]) =>
  replay.call('POST', '/automation_rules', {
    name: word,
    event_name: 'message_created',
    active: true,
    actions,
    conditions: [{ attribute_key: 'content', filter_operator: 'contains', values: [word], query_operator: null }],
  });
const action = (action_name: string, ...action_params: unknown[]) => ({ action_name, action_params });

const block: Scene = async replay => {
  const { id } = await replay.contact({ email: undefined });
  await replay.call('PUT', `/contacts/${id}`, { blocked: true }, 'BOT');
};

const labels =
  (...sets: readonly string[][]): Scene =>
  async replay => {
    const conversation = await incoming(replay, 'hi');
    for (const set of sets) {
      await replay.call('POST', `/conversations/${conversation}/labels`, { labels: set }, 'BOT');
      await replay.whenIdle();
    }
  };
const ALL_LABELS = ['never-defined', 'With Space', 'ÄÖ'];

const resolved: Scene = async replay => {
  const conversation = await replay.conversation();
  await replay.whenIdle();
  await replay.call('POST', `/conversations/${conversation}/toggle_status`, { status: 'resolved' }, 'BOT');
};

const attributes =
  (who: string, custom_attributes: object): Scene =>
  async replay => {
    const conversation = await incoming(replay, 'hi');
    await replay.call('POST', `/conversations/${conversation}/labels`, { labels: ['never-defined'] }, 'BOT');
    if (who === 'AGENT_BOT')
      await replay.call(
        'POST',
        `/conversations/${conversation}/custom_attributes`,
        { custom_attributes: { undefined_key: 'a', n: 1, list: [1], obj: { a: 1 } } },
        'BOT',
      );
    await replay.whenIdle();
    await replay.call('POST', `/conversations/${conversation}/custom_attributes`, { custom_attributes }, who);
  };

const attached =
  (name: string): Scene =>
  async replay => {
    await replay.play(`messages.create.attachment_${name}`, { conversation: await replay.conversation() });
  };

const posted =
  (name: string): Scene =>
  async replay => {
    await replay.play(`messages.create.${name}`, { conversation: await replay.conversation() });
  };

const deleted =
  (who: string, more: object): Scene =>
  async replay => {
    const conversation = await replay.conversation();
    const message = await replay.say(
      conversation,
      'x',
      { source_id: 'src-000000', content_attributes: { marker: 'M' }, ...more },
      who,
    );
    await replay.whenIdle();
    await replay.call('DELETE', `/conversations/${conversation}/messages/${message}`);
  };

const answered: Scene = async replay => {
  const { sourceId, id: contact } = await replay.contact();
  const { id: conversation } = await replay.call('POST', '/conversations', {
    inbox_id: replay.inbox,
    contact_id: contact,
    source_id: sourceId,
  });
  const { id } = await replay.play('messages.create.bot_input_select', { conversation });
  const { inbox_identifier: inbox } = await replay.call('GET', `/inboxes/${replay.inbox}`);
  await replay.whenIdle();
  await replay.playAt(
    'public.messages.update.submitted_values',
    `/public/api/v1/inboxes/${inbox}/contacts/${sourceId}/conversations/${conversation}/messages/${id}`,
  );
};

/** The steps that cause each recorded webhook, by its name without the receiver. */
export const BOTH_WEBHOOKS: Readonly<Record<string, Scene>> = {
  'automation_event.message_created.automation': async replay => {
    await rule(replay, 'AUTOHOOK', [action('send_webhook_event', `${replay.theatre.receiver.url}/autohook`)]);
    await incoming(replay, 'AUTOHOOK');
  },
  'contact_updated.blocked_botted.account': block,
  'contact_updated.blocked_plain.account': block,
  'contact_updated.merged.account': async replay => {
    const base = await replay.contact({ name: 'Base', custom_attributes: { keep: 'base', only_b: 1 } });
    const mergee = await replay.contact({
      name: 'Mergee',
      email: 'mg-000000@example.test',
      custom_attributes: { keep: 'mergee', only_a: 1 },
    });
    await replay.call('POST', '/actions/contact_merge', { base_contact_id: base.id, mergee_contact_id: mergee.id });
  },
  'conversation_created.account_key.inbox': async replay => {
    await replay.conversation();
  },
  'conversation_status_changed.account_key.inbox': resolved,
  'conversation_updated.account_key.inbox': resolved,
  'conversation_updated.automation_team.inbox': async replay => {
    await rule(replay, 'AUTOTEAM', [action('assign_team', replay.team)]);
    await incoming(replay, 'AUTOTEAM');
  },
  'conversation_updated.custom_attributes_by_bot.inbox': attributes('AGENT_BOT', { by_bot: true }),
  'conversation_updated.custom_attributes_undefined.inbox': attributes('BOT', {
    undefined_key: 'a',
    n: 1,
    list: [1],
    obj: { a: 1 },
  }),
  'conversation_updated.labels_undefined.inbox': labels(ALL_LABELS),
  'conversation_updated.labels_fewer.inbox': labels(ALL_LABELS, ['never-defined']),
  'conversation_updated.labels_cleared.inbox': labels(['never-defined'], []),
  'message_created.attachment_a.txt.inbox': attached('a.txt'),
  'message_created.attachment_b.png.inbox': attached('b.png'),
  'message_created.attachment_c.bin.inbox': attached('c.bin'),
  'message_created.automation_autosend.inbox': async replay => {
    await rule(replay, 'AUTOSEND', [action('send_message', 'automatic words {{contact.name}}')]);
    await incoming(replay, 'AUTOSEND');
  },
  'message_created.automation_autoteam.inbox': async replay => {
    await rule(replay, 'AUTOTEAM', [action('add_private_note', 'automatic note')]);
    await incoming(replay, 'AUTOTEAM');
  },
  'message_created.macro.inbox': async replay => {
    const { payload } = await replay.call('POST', '/macros', {
      name: 'M',
      actions: [action('send_message', 'macro words')],
    });
    await replay.call(
      'POST',
      `/macros/${payload.id}/execute`,
      { conversation_ids: [await incoming(replay, 'hi')] },
      'ALICE',
    );
  },
  'message_created.other_bot.inbox': async replay => {
    await replay.say(await incoming(replay, 'hi'), 'from the other bot', {}, 'OTHER_BOT');
  },
  'message_created.bot_article.inbox': posted('bot_article'),
  'message_created.bot_cards.inbox': posted('bot_cards'),
  'message_created.bot_form.inbox': posted('bot_form'),
  'message_created.bot_input_email.inbox': posted('bot_input_email'),
  'message_created.bot_input_select.inbox': posted('bot_input_select'),
  'message_created.external_created_at.inbox': posted('external_created_at.number_10'),
  'message_updated.deleted_as_bot.inbox': async replay =>
    deleted('BOT', { sender_type: 'AgentBot', sender_id: replay.bot })(replay),
  'message_updated.deleted_bot.inbox': deleted('AGENT_BOT', {}),
  'message_updated.deleted_bot_note.inbox': deleted('AGENT_BOT', { private: true }),
  'message_updated.deleted_bot_select.inbox': deleted('AGENT_BOT', {
    content_type: 'input_select',
    content_attributes: { items: [{ title: 'A', value: 'a' }] },
  }),
  'message_updated.deleted_incoming.inbox': deleted('BOT', { message_type: 'incoming' }),
  'message_updated.deleted_user.inbox': deleted('ALICE', {}),
  'message_updated.deleted_user_note.inbox': deleted('ALICE', { private: true }),
  'message_updated.input_select_answer.inbox': answered,
};

/** The double does not store a contact's `contact_type`; when the server first fills the cache of labels is unknown. */
const changedKeys = (body: Answer): string =>
  (body.changed_attributes ?? [])
    .flatMap((one: object) => Object.keys(one))
    .filter((key: string) => key !== 'contact_type' && key !== 'cached_label_list')
    .sort()
    .join();
const newAttributes = (body: Answer): string =>
  Object.keys(
    body.changed_attributes.find((one: object) => 'custom_attributes' in one)?.custom_attributes.current_value ?? {},
  )
    .sort()
    .join();

const labelsIn = (body: Answer): unknown =>
  body.changed_attributes.find((one: object) => 'label_list' in one)?.label_list.current_value;

/** Returns whether a received webhook has the same subject as the recorded one. The rest is compared afterwards. */
export function isAbout(recorded: Answer, came: Answer): boolean {
  if (recorded.event !== came.event || changedKeys(recorded) !== changedKeys(came)) return false;
  if (recorded.event === 'conversation_updated')
    return (
      newAttributes(recorded) === newAttributes(came) &&
      JSON.stringify(labelsIn(recorded)) === JSON.stringify(labelsIn(came))
    );
  if (recorded.event === 'conversation_status_changed') return recorded.status === came.status;
  return (
    recorded.content === came.content &&
    recorded.private === came.private &&
    recorded.message_type === came.message_type
  );
}
