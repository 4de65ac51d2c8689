import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { assigneeLine, labelLines, priorityLine, statusLine, teamLine, writeActivity } from './activity';
import { assigneeForOpened, assigneeFromTeam } from './auto-assignment';
import { NOBODY, type Cause } from './cause';
import { asAttributeList, conversationChanges, type Change } from './changes';
import { later } from './later';
import { notifyAssignee, notifyOfOpening } from './notifications';
import type { ContactInbox, Conversation, ConversationStatus } from '../model';
import type { World } from '../world';

/** Only a change of one of these columns causes a `conversation_updated`. */
const ANNOUNCED = [
  'team_id',
  'assignee_id',
  'assignee_agent_bot_id',
  'status',
  'snoozed_until',
  'custom_attributes',
  'label_list',
  'waiting_since',
  'first_reply_created_at',
  'priority',
];

export type NewConversation = Partial<
  Pick<Conversation, 'status' | 'assigneeId' | 'teamId' | 'snoozedUntil' | 'customAttributes' | 'additionalAttributes'>
>;

/** Creates a conversation. If `wantedTeamId` names no team, no team is set, but an activity line mentions it. */
export function createConversation(
  world: World,
  link: ContactInbox,
  wanted: NewConversation,
  wantedTeamId: number | undefined,
  cause: Cause,
): Conversation {
  const { store } = world;
  const inbox = store.inboxes.get(link.inboxId);
  const account = store.accounts.get(inbox?.accountId);
  const contact = store.contacts.get(link.contactId);
  if (!inbox || !account || !contact)
    throw new Error('A conversation needs an existing inbox, account and contact; create them first.');
  const now = world.now();
  const row: Conversation = {
    rowId: store.conversations.nextId(),
    displayId: ++account.lastDisplayId,
    accountId: account.id,
    uuid: randomUUID(),
    inboxId: inbox.id,
    contactId: contact.id,
    contactInboxId: link.id,
    status: 'open',
    assigneeId: null,
    assigneeAgentBotId: null,
    teamId: null,
    priority: null,
    labels: [],
    cachedLabelList: null,
    snoozedUntil: null,
    customAttributes: {},
    additionalAttributes: {},
    firstReplyCreatedAt: null,
    agentLastSeenAt: null,
    assigneeLastSeenAt: null,
    contactLastSeenAt: null,
    ...wanted,
    waitingSince: now,
    lastActivityAt: now,
    createdAt: now,
    updatedAt: now,
  };
  if (contact.blocked) row.status = 'resolved';
  else if (inbox.agentBotId !== null) row.status = 'pending';
  const before: Conversation = { ...row, teamId: null, assigneeId: null };
  applyTeam(world, before, row);
  store.conversations.insert(row.rowId, row);
  world.events.conversation('conversation_created', row);
  writeAssignmentLine(world, before, row, cause, wantedTeamId !== undefined);
  notifyOfOpening(world, row);
  if (row.status === 'open') autoAssign(world, row);
  return row;
}

/** Saves changes with all their effects. Saving equal values has no effect. */
export function updateConversation(world: World, row: Conversation, patch: Partial<Conversation>, cause: Cause): void {
  const before = { ...row };
  Object.assign(row, patch);
  if (row.status !== 'snoozed') row.snoozedUntil = null;
  if (row.assigneeId !== null && row.assigneeId !== before.assigneeId) row.assigneeAgentBotId = null;
  applyTeam(world, before, row);
  if (isDeepStrictEqual(before, row)) return;
  row.cachedLabelList = row.labels.join(', ');
  row.updatedAt = later(before.updatedAt, world.now());
  announce(world, row, before, conversationChanges(before, row), cause);
  notifyAssignee(world, before, row, cause.user);
  if (row.status === 'open' && before.status === 'pending') notifyOfOpening(world, row);
  if (row.status === 'open' && before.status !== 'open') autoAssign(world, row);
}

function announce(
  world: World,
  row: Conversation,
  before: Conversation,
  changes: Map<string, Change>,
  cause: Cause,
): void {
  const statusChanged = changes.has('status');
  if (statusChanged) {
    if (row.status === 'resolved' && world.features.botRepliesClearWaiting) row.waitingSince = null;
    if (row.status === 'open') world.events.conversation('conversation_opened', row);
    if (row.status === 'resolved') world.events.conversation('conversation_resolved', row);
    world.events.conversation('conversation_status_changed', row, null);
    say(world, row, statusLine(row.status, cause));
  }
  if (changes.has('priority')) say(world, row, priorityLine(before.priority, row.priority, cause));
  if (changes.has('label_list')) for (const line of labelLines(before.labels, row.labels, cause)) say(world, row, line);
  writeAssignmentLine(world, before, row, cause, changes.has('team_id'));
  if (ANNOUNCED.some(name => changes.has(name)))
    world.events.conversation('conversation_updated', row, asAttributeList(changes));
}

function writeAssignmentLine(
  world: World,
  before: Conversation,
  row: Conversation,
  cause: Cause,
  teamChanged: boolean,
): void {
  const { store } = world;
  const assignee = store.users.get(row.assigneeId);
  const assigneeChanged = row.assigneeId !== before.assigneeId;
  if (teamChanged) {
    const newAssignee = assigneeChanged ? assignee?.name : undefined;
    say(
      world,
      row,
      teamLine(store.teams.get(before.teamId)?.name, store.teams.get(row.teamId)?.name, newAssignee, cause),
    );
  } else if (assigneeChanged) {
    say(world, row, assigneeLine(assignee, cause));
  }
}

function say(world: World, row: Conversation, line: string | undefined): void {
  if (line) writeActivity(world, row, line);
}

/** Applies a new team: removes an assignee who is not in it, and may assign one of its members. */
function applyTeam(world: World, before: Conversation, row: Conversation): void {
  const team = world.store.teams.get(row.teamId);
  if (!team || row.teamId === before.teamId) return;
  if (row.assigneeId !== null && !team.memberIds.includes(row.assigneeId)) row.assigneeId = null;
  row.assigneeId ??= assigneeFromTeam(world, row, team)?.id ?? null;
}

function autoAssign(world: World, row: Conversation): void {
  const assign = () => {
    const user = assigneeForOpened(world, row);
    if (user) updateConversation(world, row, { assigneeId: user.id }, NOBODY);
  };
  // Since 4.13 new accounts use the second implementation of assignment, which is a job.
  if (world.features.signedWebhooks) world.jobs.enqueue(assign);
  else assign();
}

/** Returns the next status of a toggle without a status: between open and resolved. */
export function toggledStatus(row: Conversation): ConversationStatus {
  return row.status === 'open' ? 'resolved' : 'open';
}

/** Runs the five-minute job: opens conversations whose snooze has ended. */
export function wakeSnoozed(world: World): void {
  const now = world.now();
  for (const row of world.store.conversations.where(
    one => one.status === 'snoozed' && one.snoozedUntil !== null && one.snoozedUntil <= now,
  )) {
    updateConversation(world, row, { status: 'open' }, NOBODY);
  }
}
