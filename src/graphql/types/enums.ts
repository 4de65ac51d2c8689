import { registerEnumType } from 'type-graphql';
import type { Control, WhileWaiting as WhileWaitingValue } from '../../core/control';
import type { DeadLetter, DeliveryOutcome } from '../../core/delivery';
import type { Explanation } from '../../core/flows/api';
import type { HandoffEndReason as EndReason, HandoffOrigin as Origin, HandoffPriority as Priority, HandoffState as State } from '../../core/handoff';
import type { ChoicesStyle, FormFieldType } from '../../core/content';
import type { ChannelState, MessageAuthor, MessageVisibility, ReactionSide } from '../../core/message';
import type { DriftKind } from '../../core/ports/support-provider';
import type { AccountHealthState, AgentRecord, ProvisioningState, SupportPolicy } from '../../core/setup';
import type { EndpointDisabledReason, RuntimeEndpointState } from '../../core/runtime-endpoint';
import { USER_ERROR_CODES } from '../errors';

/** Registers a union of texts as an enum whose inner values are its names. Every value is described, none is missing. */
function enumOf<V extends string>(name: string, description: string, values: Readonly<Record<V, string>>): { readonly [K in V]: K } {
  const names = Object.keys(values) as V[];
  const enumeration = Object.fromEntries(names.map((value) => [value, value])) as { [K in V]: K };
  const valuesConfig = Object.fromEntries(names.map((value) => [value, { description: values[value] }]));
  registerEnumType(enumeration, { name, description, valuesConfig: valuesConfig as never });
  return enumeration;
}

export const SupportControl = enumOf<Control>('SupportControl', 'Who may answer the end-user now.', {
  BOT: 'The bot answers.',
  HUMAN: 'A person has the conversation.',
  NONE: 'A person was asked for and has not come yet.',
});

export const WhileWaiting = enumOf<WhileWaitingValue>('SupportWhileWaiting', 'What the bot may do between the request and the first person.', {
  HOLD: 'It stays silent.',
  BOT_MAY_ANSWER: 'It may go on answering.',
});

export const Mirroring = enumOf<SupportPolicy['mirroring']>('SupportMirroring', 'When the provider learns of a session.', {
  ALWAYS: 'From its first message, held by the bot.',
  ON_HANDOFF: 'Only when a person is asked for; the history is brought along.',
});

export const OnDeadLetter = enumOf<SupportPolicy['onDeadLetter']>('SupportOnDeadLetter', 'What the rest of a session\'s lane does behind a dead letter.', {
  GO_ON: 'It goes on; the dead letter waits for an operator.',
  BLOCK: 'It waits until an operator sends the dead letter again or discards it.',
});

export const SupportDeadLetterState = enumOf<DeadLetter['state']>('SupportDeadLetterState', 'What became of something that could not be delivered.', {
  PARKED: 'It waits for an operator.',
  DISCARDED: 'An operator gave it up for good.',
});

export const SupportDeliveryOutcome = enumOf<DeliveryOutcome>('SupportDeliveryOutcome', 'Whether something that was set aside may have reached its receiver all the same.', {
  NOT_DELIVERED: 'It has not, or not all of it.',
  UNKNOWN: 'A try of it may have: its answer was lost, or what is there cannot be told from it. An operator has to look.',
});

export const AutomaticReplies = enumOf<SupportPolicy['automaticReplies']>('SupportAutomaticReplies', 'What becomes of what the provider says to end-users by itself: a greeting, or that nobody is there.', {
  WITHHOLD: 'It does not go out, and set-up and repair switch it off at the provider.',
  SEND_ON: 'It goes out as a message of the author SYSTEM; whether the provider says such things is set there.',
});

export const LostConversation = enumOf<SupportPolicy['lostConversation']>('SupportLostConversation', 'What becomes of a handoff whose conversation is deleted at the provider.', {
  END: 'It ends: PROVIDER_LOST.',
  OPEN_AGAIN: 'It is REQUESTED again and opens in a new conversation, with all that was said; at most three times, then it ends.',
});

export const HandoffState = enumOf<State>('HandoffState', 'Where a handoff stands. ENDED, REJECTED and FAILED are final.', {
  REQUESTED: 'Recorded; the provider does not know yet.',
  QUEUED: 'People can see it, nobody has it.',
  ASSIGNED: 'Somebody has it and has not answered yet.',
  ACTIVE: 'An agent answers.',
  ON_HOLD: 'An agent has put it aside for a while.',
  ENDING: 'Over for people; what they said is still on its way to the end-user.',
  ENDED: 'Over, the bot has control.',
  REJECTED: 'Nobody was available; the bot has control.',
  FAILED: 'The provider refused for good; the bot has control.',
});

export const HandoffEndReason = enumOf<EndReason>('HandoffEndReason', 'Why a handoff ended.', {
  AGENT_RESOLVED: 'An agent resolved it.',
  AGENT_RETURNED: 'An agent gave it back to the bot unresolved.',
  USER_ENDED: 'The end-user wanted no person any more.',
  USER_INACTIVE: 'The end-user was silent too long.',
  AGENT_INACTIVE: 'The agent was silent too long.',
  QUEUE_TIMEOUT: 'Nobody took it in time.',
  BOT_CANCELLED: 'The bot runtime took its request back.',
  OPERATOR_ENDED: 'An operator ended it.',
  SESSION_CLOSED: 'The session was closed.',
  PROVIDER_LOST: 'The conversation no longer exists at the provider.',
});

export const HandoffOrigin = enumOf<Origin>('HandoffOrigin', 'How a handoff began.', {
  REQUESTED: 'It was asked for.',
  AGENT_TAKEOVER: 'An agent stepped into a conversation that the bot held.',
});

export const HandoffPriority = enumOf<Priority>('HandoffPriority', 'How urgent agents should find it.', {
  LOW: 'Can wait.', MEDIUM: 'Ordinary.', HIGH: 'Soon.', URGENT: 'Now.',
});

export const HandoffCancelReason = enumOf<Extract<EndReason, 'BOT_CANCELLED' | 'USER_ENDED'>>('HandoffCancelReason', 'Why the runtime takes a handoff back.', {
  BOT_CANCELLED: 'The bot needs no person any more.',
  USER_ENDED: 'The end-user wants no person any more.',
});

export const MessageAuthorEnum = enumOf<MessageAuthor>('SupportMessageAuthor', 'Who said it.', {
  END_USER: 'The end-user.', BOT: 'The bot.', AGENT: 'A person of the support team.', SYSTEM: 'We: a line such as "a colleague will be with you".',
});

export const ChannelStateEnum = enumOf<ChannelState>('SupportChannelState', 'What became of a message on the end-user\'s channel.', {
  DELIVERED: 'It is on the end-user\'s screen.',
  READ: 'The end-user has seen it.',
  FAILED: 'It will not arrive.',
});

export const ReactionSideEnum = enumOf<ReactionSide>('SupportReactionSide', 'Who reacts to a message.', {
  END_USER: 'The end-user.', BOT: 'The bot.',
});

export const ChoicesStyleEnum = enumOf<ChoicesStyle>('SupportChoicesStyle', 'How choices are meant to look.', {
  BUTTONS: 'They stay with the message.', QUICK_REPLIES: 'They are gone once one was picked, or something else was said.',
});

export const FormFieldTypeEnum = enumOf<FormFieldType>('SupportFormFieldType', 'What a field of a form takes.', {
  TEXT: 'One line.', LONG_TEXT: 'Several lines.', EMAIL: 'An e-mail address.', PHONE: 'A phone number.', NUMBER: 'A number.', DATE: 'A day.',
  SELECT: 'One of its options.',
});

export const MessageVisibilityEnum = enumOf<MessageVisibility>('SupportMessageVisibility', 'Who may see it.', {
  PUBLIC: 'The end-user may see it.',
  INTERNAL: 'Agents only: never show it to the end-user.',
});

export const OnControlLost = enumOf<'REJECT' | 'SUGGEST'>('SupportOnControlLost', 'What becomes of a bot message that may not be said.', {
  REJECT: 'CONTROL_LOST; nothing is kept.',
  SUGGEST: 'Kept as an internal suggestion that agents see; the end-user does not.',
});

export const ProvisioningStateEnum = enumOf<ProvisioningState>('SupportProvisioningState', 'How far set-up is.', {
  PROVISIONING: 'Under way, or interrupted: calling again goes on.',
  READY: 'Works.',
  FAILED: 'Stopped; `problem` says why and what to do.',
  DISABLED: 'Switched off.',
});

export const AgentRole = enumOf<AgentRecord['role']>('SupportAgentRole', 'The agent\'s role at the provider.', {
  ADMINISTRATOR: 'May change the account.', AGENT: 'Answers conversations.',
});

export const AccountHealthStateEnum = enumOf<AccountHealthState>('SupportAccountHealthState', 'How an account fares, by the last check or by what was met since.', {
  UNKNOWN: 'Not checked yet.',
  HEALTHY: 'Everything is as it should be.',
  DRIFTED: 'Something there is not as we want it; supportDrift lists it.',
  UNREACHABLE: 'The provider does not answer.',
  UNAUTHORIZED: 'Our credentials or role there no longer serve; `problem` says which and what to do.',
});

export const DriftKindEnum = enumOf<DriftKind>('SupportDriftKind', 'What a check looks at.', {
  SERVER: 'The provider\'s server.',
  BOT_AGENT_TOKEN: 'Whether the token of the user that we act as works.',
  BOT_AGENT_ROLE: 'Whether the user that we act as is an administrator.',
  BOT_AGENT_NAME: 'What the user that we act as is called.',
  AGENT_BOT: 'The bot that holds conversations and writes to them.',
  OWNER: 'Whether an owner is an administrator.',
  INBOX: 'Whether a chatbot\'s inbox is there and ours.',
  INBOX_NAME: 'Whether an inbox is called as its chatbot.',
  INBOX_WEBHOOK_URL: 'Whether an inbox tells us what happens in it.',
  INBOX_WEBHOOK_SECRET: 'Whether we know the secret that signs an inbox\'s webhooks.',
  INBOX_AGENT_BOT: 'Whether an inbox holds new conversations for the chatbot.',
  INBOX_SETTINGS: 'Greeting, automatic assignment, single-conversation lock, working hours.',
  INBOX_MEMBERS: 'Who sees an inbox, once that was set from here.',
  TEAM_MEMBERS: 'Who is in a team, once that was set from here.',
  TEAM_SETTINGS: 'Whether a team that was made from here assigns conversations by itself, as was asked for.',
  WEBHOOK_DELIVERY: 'Whether webhooks leave the provider\'s server.',
  CONVERSATION: 'Whether conversations can be shown by the provider\'s server.',
});

export const RuntimeEndpointStateEnum = enumOf<RuntimeEndpointState>('SupportRuntimeEndpointState', 'Whether deliveries are pushed to an endpoint.', {
  UNVERIFIED: 'Not yet: enableSupportRuntimeEndpoint lets it prove itself.',
  ACTIVE: 'They are.',
  DISABLED: 'Not any more; they wait in the inbox, and enabling it again pushes them.',
});

export const EndpointDisabledReasonEnum = enumOf<EndpointDisabledReason>('SupportRuntimeEndpointDisabledReason', 'Why an endpoint was switched off.', {
  OPERATOR: 'An operator did it.',
  GONE: 'It answered 410: it wants nothing more.',
  FAILING: 'For days nothing but failures came back.',
});

export const SilenceReason = enumOf<Explanation['why']>('SupportControlReason', 'Who decides that the bot is silent or not.', {
  BOT_HAS_CONTROL: 'No live handoff: the bot may answer.',
  WAITING_FOR_AGENT: 'A person was asked for; the policy holds the bot meanwhile.',
  WAITING_BOT_MAY_ANSWER: 'A person was asked for; the policy lets the bot answer meanwhile.',
  AGENT_HAS_CONTROL: 'A person has the conversation.',
  HANDOFF_ENDING: 'The handoff is over, but what the agent said is not collected yet.',
  SESSION_CLOSED: 'The session is closed.',
});

export const SupportErrorCode = enumOf('SupportErrorCode', 'What went wrong; docs/errors.md has the next step for each.', USER_ERROR_CODES);

