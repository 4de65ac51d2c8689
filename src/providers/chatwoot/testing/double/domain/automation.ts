import { asId, asList, asObject, asText, has } from '../http/call';
import { refuse } from '../http/replies';
import { updateConversation } from './conversations';
import { createMessage, InvalidMessage } from './messages';
import { BY_RULE, type Cause } from './cause';
import { conversationBody } from '../present/webhooks';
import {
  MESSAGE_TYPES,
  PRIORITIES,
  type AutomationRule,
  type Conversation,
  type Json,
  type Macro,
  type Message,
  type RuleAction,
  type RuleCondition,
  type User,
} from '../model';
import type { World } from '../world';

const actionsIn = (value: unknown): RuleAction[] =>
  asList(value)
    .map(asObject)
    .map(one => ({ action_name: String(one['action_name']), action_params: asList(one['action_params']) }));

/**
 * Stores a rule of an account. Called by an administrator's POST.
 * @throws 422 without a name
 */
export function createRule(world: World, accountId: number, params: Json): AutomationRule {
  const name = asText(params['name']);
  if (!name) throw refuse.invalid("Name can't be blank", ['name']);
  const id = world.store.automationRules.nextId();
  return world.store.automationRules.insert(id, {
    id,
    accountId,
    name,
    description: asText(params['description']),
    eventName: String(params['event_name']),
    conditions: asList(params['conditions']).map(asObject) as unknown as RuleCondition[],
    actions: actionsIn(params['actions']),
    active: !has(params, 'active') || params['active'] === true,
    createdAt: world.now(),
  });
}

/** Stores a macro of an account. */
export function createMacro(world: World, accountId: number, params: Json, by: User): Macro {
  const id = world.store.macros.nextId();
  return world.store.macros.insert(id, {
    id,
    accountId,
    name: asText(params['name']) ?? '',
    visibility: asText(params['visibility']) ?? 'personal',
    actions: actionsIn(params['actions']),
    createdById: by.id,
  });
}

/**
 * Runs the account's rules for a new message, in a job. Rules apply to messages of any author, bots and notes too,
 * unless a condition excludes them. A rule's own messages trigger no rule.
 */
export function runRules(world: World, message: Message): void {
  if (message.messageType === 'activity' || 'automation_rule_id' in message.contentAttributes) return;
  const conversation = world.store.conversations.get(message.conversationRowId);
  if (!conversation) return;
  const rules = world.store.automationRules.where(
    rule =>
      rule.accountId === message.accountId &&
      rule.active &&
      rule.eventName === 'message_created' &&
      applies(rule.conditions, message, conversation),
  );
  for (const rule of rules) world.jobs.enqueue(() => act(world, conversation, rule.actions, { rule }));
}

/** Runs a macro's actions in the name of the user who started it. */
export function runMacro(world: World, macro: Macro, conversation: Conversation, user: User): void {
  world.jobs.enqueue(() => act(world, conversation, macro.actions, { user }));
}

function applies(conditions: readonly RuleCondition[], message: Message, conversation: Conversation): boolean {
  return conditions.every(({ attribute_key: key, filter_operator: operator, values }) => {
    const read: Record<string, unknown> = {
      content: message.content ?? '',
      message_type: message.messageType,
      private_note: message.private,
      status: conversation.status,
      inbox_id: conversation.inboxId,
    };
    const value = String(read[key] ?? '').toLowerCase();
    const wanted = asList(values).map(one => String(one).toLowerCase());
    if (operator === 'contains') return wanted.some(one => value.includes(one));
    if (operator === 'does_not_contain') return !wanted.some(one => value.includes(one));
    const isOne =
      wanted.includes(value) ||
      (key === 'message_type' && wanted.includes(String(MESSAGE_TYPES.indexOf(message.messageType))));
    return operator === 'not_equal_to' ? !isOne : isOne;
  });
}

type By = { readonly rule: AutomationRule } | { readonly user: User };

function act(world: World, conversation: Conversation, actions: readonly RuleAction[], by: By): void {
  const cause: Cause = 'user' in by ? { user: by.user } : BY_RULE;
  for (const { action_name: name, action_params: params } of actions) {
    if (!world.store.conversations.get(conversation.rowId)) return;
    const [first] = params;
    switch (name) {
      case 'send_message':
        say(world, conversation, String(first), false, by);
        break;
      case 'add_private_note':
        say(world, conversation, String(first), true, by);
        break;
      case 'assign_team':
        updateConversation(world, conversation, { teamId: world.store.teams.get(asId(first))?.id ?? null }, cause);
        break;
      case 'assign_agent':
        updateConversation(world, conversation, { assigneeId: asId(first) ?? null }, cause);
        break;
      case 'add_label':
        updateConversation(
          world,
          conversation,
          { labels: [...new Set([...conversation.labels, ...params.map(String)])] },
          cause,
        );
        break;
      case 'change_priority':
        updateConversation(world, conversation, { priority: PRIORITIES.find(one => one === first) ?? null }, cause);
        break;
      case 'resolve_conversation':
        updateConversation(world, conversation, { status: 'resolved' }, cause);
        break;
      case 'send_webhook_event':
        world.events.automation(String(first), () => ({
          ...conversationBody(world, conversation, null),
          event: 'automation_event.message_created',
        }));
        break;
      default:
        break;
    }
  }
}

/** Posts a message. A rule's message has no sender and names its rule; a macro's is entirely the agent's own. */
function say(world: World, conversation: Conversation, content: string, isPrivate: boolean, by: By): void {
  try {
    createMessage(world, conversation, {
      content,
      messageType: 'outgoing',
      private: isPrivate,
      ...('user' in by
        ? { sender: { type: 'User', id: by.user.id } }
        : { sender: null, contentAttributes: { automation_rule_id: by.rule.id } }),
    });
  } catch (error) {
    if (!(error instanceof InvalidMessage)) throw error;
  }
}
