import { accountOf, asId, asObject, asText, has, isAdministrator, type Call } from '../http/call';
import { callingUser, contactAt, conversationOf, inboxAt, mayUseInbox, usableInboxAt } from '../http/access';
import { empty, json, refuse } from '../http/replies';
import { route, type Route } from '../http/router';
import { causeOf } from '../domain/cause';
import { isUnshowable } from '../domain/file-names';
import { linkContact, updateContact } from '../domain/contacts';
import { createConversation, toggledStatus, updateConversation } from '../domain/conversations';
import { postMessage } from './messages';
import { conversation as conversationJson } from '../present/conversations';
import { attachment } from '../present/messages';
import { agent } from '../present/people';
import { assignedBot, rawTeam } from '../present/settings';
import { isoOrNull } from '../present/times';
import {
  CONVERSATION_STATUSES,
  PRIORITIES,
  type ContactInbox,
  type Conversation,
  type ConversationStatus,
} from '../model';

const BASE = '/api/v1/accounts/:accountId/conversations';
const ANYONE = { area: 'account' } as const;
/** Longest text value of an attribute, in characters. */
const LONGEST_ATTRIBUTE = 1500;
const BOTS_TOO = { area: 'account', bot: true } as const;

/**
 * Renders a conversation. For an agent bot's token, rendering one that has a team crashes, after the change was made.
 */
const show = (call: Call, row: Conversation) => {
  if (call.actor?.kind === 'bot' && row.teamId !== null) throw refuse.crash();
  return json(conversationJson(call.world, row, callingUser(call)));
};

const byBotToo = {
  ...({ area: 'account' } as const),
  bot: (call: Call) => call.world.features.botMayReadConversations,
};

/** Parses a status. A value that the database does not know causes a crash, not a validation error. */
function statusIn(value: unknown): ConversationStatus {
  const status = CONVERSATION_STATUSES.find(one => one === value);
  if (!status) throw refuse.crash();
  return status;
}

function timeIn(value: unknown): number | null {
  if (value === null || value === undefined || value === '') return null;
  const at = /^\d+$/.test(String(value)) ? Number(value) * 1000 : Date.parse(String(value));
  return Number.isNaN(at) ? null : at;
}

/** Finds the contact inbox. With a source id alone, the whole installation is searched. */
function contactInboxOf(call: Call): ContactInbox {
  const { world, params } = call;
  const inbox = params['inbox_id'] ? usableInboxAt(call, params['inbox_id']) : undefined;
  const contact = params['contact_id'] ? contactAt(call, params['contact_id']) : undefined;
  const sourceId = asText(params['source_id']);
  if (inbox && contact) {
    const taken =
      sourceId === null
        ? undefined
        : world.store.contactInboxes.find(row => row.inboxId === inbox.id && row.sourceId === sourceId);
    if (taken && taken.contactId !== contact.id) throw refuse.unprocessable('source_id should be unique');
    return linkContact(world, contact, inbox, sourceId);
  }
  const link = sourceId === null ? undefined : world.store.contactInboxes.find(row => row.sourceId === sourceId);
  const found = link && world.store.inboxes.get(link.inboxId);
  if (!link || !found) throw refuse.absent();
  if (found.accountId !== accountOf(call).id || !mayUseInbox(call, found)) throw refuse.notAllowed();
  return link;
}

function create(call: Call) {
  const { world, params } = call;
  const link = contactInboxOf(call);
  const inbox = inboxAt(call, link.inboxId);
  const existing = inbox.lockToSingleConversation
    ? world.store.conversations.where(row => row.contactInboxId === link.id).at(-1)
    : undefined;
  const row = existing ?? createNew(call, link);
  if (params['message']) postMessage(call, row, asObject(params['message']));
  return show(call, row);
}

function createNew(call: Call, link: ContactInbox): Conversation {
  const { world, params } = call;
  const wantedTeamId = asId(params['team_id']);
  const assigneeId = asId(params['assignee_id']);
  return createConversation(
    world,
    link,
    {
      status: params['status'] ? statusIn(params['status']) : 'open',
      assigneeId: world.store.accountUser(accountOf(call).id, assigneeId ?? 0) ? (assigneeId ?? null) : null,
      teamId: teamIn(call, wantedTeamId)?.id ?? null,
      snoozedUntil: timeIn(params['snoozed_until']),
      customAttributes: asObject(params['custom_attributes']),
      additionalAttributes: asObject(params['additional_attributes']),
    },
    wantedTeamId,
    causeOf(call.actor),
  );
}

function teamIn(call: Call, id: number | undefined) {
  const team = call.world.store.teams.get(id);
  return team?.accountId === accountOf(call).id ? team : undefined;
}

/**
 * Toggles the status. An agent who opens a conversation becomes its assignee; an administrator or a bot does not. The
 * change is announced with the newest message: if that cannot be rendered, the change stays and the response is a
 * crash.
 */
function toggleStatus(call: Call) {
  const row = conversationOf(call);
  const cause = causeOf(call.actor);
  const handsOver = call.actor?.kind === 'bot' && row.status === 'pending' && call.params['status'] === 'open';
  const status = call.params['status'] ? statusIn(call.params['status']) : toggledStatus(row);
  const snoozedUntil = has(call.params, 'snoozed_until') ? timeIn(call.params['snoozed_until']) : row.snoozedUntil;
  const fails = call.world.store.messagesIn(row).at(-1)?.attachments.some(isUnshowable) === true;
  updateConversation(call.world, row, { status, snoozedUntil }, cause);
  if (fails) throw refuse.crash();
  if (row.status === 'open' && call.membership?.role === 'agent') {
    updateConversation(call.world, row, { assigneeId: call.membership.userId }, cause);
  }
  return json({
    payload: {
      success: handsOver ? null : true,
      conversation_id: row.displayId,
      current_status: row.status,
      snoozed_until: isoOrNull(row.snoozedUntil),
    },
  });
}

function setPriority(call: Call, row: Conversation): void {
  const value = call.params['priority'];
  const priority = value ? PRIORITIES.find(one => one === value) : null;
  if (priority === undefined) throw refuse.crash();
  updateConversation(call.world, row, { priority: priority }, causeOf(call.actor));
}

/** Assigns a conversation. Never fails: an unknown target clears the field, with 200 and `null`. */
function assign(call: Call) {
  const { world, params } = call;
  const row = conversationOf(call);
  const cause = causeOf(call.actor);
  const byBot = params['assignee_type'] === 'AgentBot' && world.features.agentBotAssignee;
  if (byBot) {
    const bot = world.store.agentBots.get(asId(params['assignee_id']));
    const usable = bot && (bot.accountId === null || bot.accountId === row.accountId) ? bot : undefined;
    updateConversation(world, row, { assigneeId: null, assigneeAgentBotId: usable?.id ?? null }, cause);
    return json(usable ? assignedBot(usable) : null);
  }
  if (has(params, 'assignee_id')) {
    const id = asId(params['assignee_id']);
    const user = world.store.accountUser(row.accountId, id ?? 0) ? world.store.users.get(id) : undefined;
    updateConversation(world, row, { assigneeId: user?.id ?? null, assigneeAgentBotId: null }, cause);
    return json(user ? agent(world, row.accountId, user) : null);
  }
  if (!has(params, 'team_id')) return json(null);
  const team = teamIn(call, asId(params['team_id']));
  updateConversation(world, row, { teamId: team?.id ?? null }, cause);
  return json(team ? rawTeam(team) : null);
}

function toggleTyping(call: Call) {
  const row = conversationOf(call);
  const user = callingUser(call);
  const status = call.params['typing_status'];
  if (user && (status === 'on' || status === 'off')) {
    call.world.events.typing(
      status === 'on',
      row,
      { user },
      call.params['is_private'] === true || call.params['is_private'] === 'true',
    );
  }
  return empty();
}

/** Sets agents' read marks. They change nothing else and are not announced. */
function markSeen(call: Call, at: number, byAssignee: boolean) {
  const row = conversationOf(call);
  row.agentLastSeenAt = at;
  if (byAssignee) row.assigneeLastSeenAt = at;
  return show(call, row);
}

function markUnread(call: Call) {
  const row = conversationOf(call);
  const last = call.world.store.lastMessage(row, message => message.messageType === 'incoming');
  return markSeen(call, (last?.createdAt ?? row.createdAt) - 1000, true);
}

function mute(call: Call, blocked: boolean) {
  const row = conversationOf(call);
  const contact = contactAt(call, row.contactId);
  if (blocked) updateConversation(call.world, row, { status: 'resolved' }, causeOf(call.actor));
  updateContact(call.world, contact, { blocked });
  return empty();
}

export const conversationRoutes: Route[] = [
  ...route('POST', BASE, BOTS_TOO, create),
  ...route('GET', `${BASE}/:conversationId`, byBotToo, call => show(call, conversationOf(call))),
  ...route('PATCH|PUT', `${BASE}/:conversationId`, BOTS_TOO, call => {
    const row = conversationOf(call);
    if (has(call.params, 'priority')) setPriority(call, row);
    return show(call, row);
  }),
  ...route(
    'DELETE',
    `${BASE}/:conversationId`,
    { ...ANYONE, when: call => call.world.features.conversationDeletion },
    call => {
      const row = conversationOf(call);
      if (!isAdministrator(call)) throw refuse.notAllowed();
      call.world.jobs.enqueue(() => call.world.store.deleteConversation(row), call.world.options.deletionDelayMs);
      return empty();
    },
  ),
  ...route('POST', `${BASE}/:conversationId/toggle_status`, BOTS_TOO, toggleStatus),
  ...route('POST', `${BASE}/:conversationId/toggle_priority`, BOTS_TOO, call => {
    setPriority(call, conversationOf(call));
    return empty();
  }),
  ...route('POST', `${BASE}/:conversationId/assignments`, BOTS_TOO, assign),
  ...route(
    'POST',
    `${BASE}/:conversationId/custom_attributes`,
    { ...ANYONE, bot: call => call.world.features.botMaySetCustomAttributes },
    call => {
      const row = conversationOf(call);
      const wanted = call.params['custom_attributes'];
      if (wanted === undefined || wanted === null || JSON.stringify(wanted).includes('\\u0000')) throw refuse.crash();
      const customAttributes = asObject(wanted);
      const tooLong = Object.entries(customAttributes).find(
        ([, value]) => typeof value === 'string' && value.length > LONGEST_ATTRIBUTE,
      );
      if (tooLong)
        throw refuse.invalid(`Custom attributes ${tooLong[0]} length should be < 1500`, ['custom_attributes']);
      updateConversation(call.world, row, { customAttributes }, causeOf(call.actor));
      return json({ custom_attributes: row.customAttributes });
    },
  ),
  ...route('GET', `${BASE}/:conversationId/labels`, byBotToo, call => json({ payload: conversationOf(call).labels })),
  ...route('POST', `${BASE}/:conversationId/labels`, byBotToo, call => {
    const row = conversationOf(call);
    const labels = Array.isArray(call.params['labels']) ? call.params['labels'] : [];
    updateConversation(call.world, row, { labels: [...new Set(labels.map(String))] }, causeOf(call.actor));
    return json({ payload: row.labels });
  }),
  ...route(
    'POST',
    `${BASE}/:conversationId/toggle_typing_status`,
    { ...ANYONE, bot: call => call.world.features.botMayType },
    toggleTyping,
  ),
  ...route('GET', `${BASE}/:conversationId/attachments`, ANYONE, call => {
    const rows = call.world.store.messagesIn(conversationOf(call)).flatMap(message => message.attachments);
    return json({ meta: { total_count: rows.length }, payload: rows.map(row => attachment(call.world, row)) });
  }),
  ...route('GET', `${BASE}/:conversationId/participants`, ANYONE, call => json((conversationOf(call), []))),
  ...route('POST', `${BASE}/:conversationId/update_last_seen`, ANYONE, call => {
    const row = conversationOf(call);
    return markSeen(call, call.world.now(), row.assigneeId !== null && row.assigneeId === callingUser(call)?.id);
  }),
  ...route('POST', `${BASE}/:conversationId/unread`, ANYONE, markUnread),
  ...route('POST', `${BASE}/:conversationId/mute`, ANYONE, call => mute(call, true)),
  ...route('POST', `${BASE}/:conversationId/unmute`, ANYONE, call => mute(call, false)),
  ...route('POST', `${BASE}/:conversationId/transcript`, ANYONE, call => {
    conversationOf(call);
    if (!asText(call.params['email'])) throw refuse.unprocessable('email param missing');
    return empty();
  }),
];
