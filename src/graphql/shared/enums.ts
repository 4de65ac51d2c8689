import { registerEnumType } from 'type-graphql';
import type { Control, WhileWaiting as WhileWaitingValue } from '../../core/control';
import type { DeadLetter, DeliveryOutcome } from '../../core/delivery';
import type { Explanation } from '../../core/flows/api/sessions';
import type {
  HandoffEndReason as EndReason,
  HandoffOrigin as Origin,
  HandoffPriority as Priority,
  HandoffState as State,
} from '../../core/handoff';
import type { ChoicesStyle, FormFieldType } from '../../core/content';
import type { ChannelState, MessageAuthor, MessageVisibility, ReactionSide } from '../../core/message';
import type { DriftKind } from '../../core/ports/provider/drift';
import type { AccountHealthState, AgentRecord, ProvisioningState, SupportPolicy } from '../../core/setup';
import type { EndpointDisabledReason, RuntimeEndpointState } from '../../core/runtime-endpoint';
import { USER_ERROR_CODES } from '../operation/errors';

/**
 * Registers a union of string literals as a GraphQL enum with equal names and values. Requires a description of each.
 */
function enumOf<V extends string>(
  name: string,
  description: string,
  values: Readonly<Record<V, string>>,
): { readonly [K in V]: K } {
  const names = Object.keys(values) as V[];
  const enumeration = Object.fromEntries(names.map(value => [value, value])) as { [K in V]: K };
  const valuesConfig = Object.fromEntries(names.map(value => [value, { description: values[value] }]));
  registerEnumType(enumeration, { name, description, valuesConfig: valuesConfig as never });
  return enumeration;
}

export const SupportControl = enumOf<Control>('SupportControl', 'The party that may answer the end-user now.', {
  BOT: 'The bot may answer.',
  HUMAN: 'A human agent has the conversation.',
  NONE: 'A handoff was requested and no agent has the conversation yet.',
});

export const WhileWaiting = enumOf<WhileWaitingValue>(
  'SupportWhileWaiting',
  'Permission of the bot to answer between the request of a handoff and the first agent.',
  {
    SILENT: 'The bot stays silent.',
    BOT_MAY_ANSWER: 'The bot may continue to answer.',
  },
);

export const Mirroring = enumOf<SupportPolicy['mirroring']>(
  'SupportMirroring',
  'The moment at which a session gets a conversation at the provider.',
  {
    ALWAYS: "At the session's first message. The bot has the conversation until a handoff.",
    ON_HANDOFF: 'At the first handoff. The history is forwarded then.',
  },
);

export const OnDeadLetter = enumOf<SupportPolicy['onDeadLetter']>(
  'SupportOnDeadLetter',
  "The behavior of a session's lane after a dead letter.",
  {
    CONTINUE: 'The lane continues; the dead letter waits for an operator.',
    BLOCK: 'The lane waits until an operator resends or discards the dead letter.',
  },
);

export const SupportDeadLetterState = enumOf<DeadLetter['state']>(
  'SupportDeadLetterState',
  'The state of a delivery that failed for good.',
  {
    PARKED: 'It waits for an operator.',
    DISCARDED: 'An operator discarded it.',
  },
);

export const SupportDeliveryOutcome = enumOf<DeliveryOutcome>(
  'SupportDeliveryOutcome',
  'The outcome of a parked delivery: it may have reached its receiver nevertheless.',
  {
    NOT_DELIVERED: 'It did not reach its receiver, or not completely.',
    UNKNOWN:
      'An attempt may have taken effect: its response was lost, or what the provider has cannot be matched to it. An operator has to check.',
  },
);

export const AutomaticReplies = enumOf<SupportPolicy['automaticReplies']>(
  'SupportAutomaticReplies',
  'The handling of messages that the provider sends to end-users automatically, such as a greeting or an out-of-office message.',
  {
    SUPPRESS: 'They are not forwarded, and setup and repair switch them off at the provider.',
    FORWARD:
      'They are forwarded as messages of the author SYSTEM. Whether the provider sends them is configured at the provider.',
  },
);

export const LostConversation = enumOf<SupportPolicy['lostConversation']>(
  'SupportLostConversation',
  'The handling of a live handoff whose conversation was deleted at the provider.',
  {
    END: 'The handoff ends with PROVIDER_LOST.',
    REOPEN:
      'The handoff returns to REQUESTED and opens in a new conversation with the whole history; at most three times, then it ends.',
  },
);

export const HandoffState = enumOf<State>(
  'HandoffState',
  'The state of a handoff. ENDED, REJECTED and FAILED are final.',
  {
    REQUESTED: 'Recorded; not yet opened at the provider.',
    QUEUED: 'Visible to agents; no agent has it.',
    ASSIGNED: 'An agent has it and has not answered yet.',
    ACTIVE: 'An agent is answering.',
    ON_HOLD: 'An agent has put it on hold.',
    ENDING: 'Over for agents; their last messages are still being delivered to the end-user.',
    ENDED: 'Over; the bot has control.',
    REJECTED: 'No agent was available; the bot has control.',
    FAILED: 'The provider refused for good; the bot has control.',
  },
);

export const HandoffEndReason = enumOf<EndReason>('HandoffEndReason', 'The reason for which a handoff ended.', {
  AGENT_RESOLVED: 'An agent resolved it.',
  AGENT_RETURNED: 'An agent returned it to the bot without resolving it.',
  USER_ENDED: 'The end-user no longer wanted a human agent.',
  USER_INACTIVE: 'The end-user was silent for too long.',
  AGENT_INACTIVE: 'The agent was silent for too long.',
  QUEUE_TIMEOUT: 'No agent took it in time.',
  BOT_CANCELLED: 'The bot runtime cancelled its request.',
  OPERATOR_ENDED: 'An operator ended it.',
  SESSION_CLOSED: 'The session was closed.',
  PROVIDER_LOST: 'The conversation no longer exists at the provider.',
});

export const HandoffOrigin = enumOf<Origin>('HandoffOrigin', 'The way in which a handoff began.', {
  REQUESTED: 'The runtime requested it.',
  AGENT_TAKEOVER: 'An agent took over a conversation that the bot had.',
});

export const HandoffPriority = enumOf<Priority>('HandoffPriority', 'The urgency that agents see.', {
  LOW: 'Can wait.',
  MEDIUM: 'Normal.',
  HIGH: 'Needs an agent soon.',
  URGENT: 'Needs an agent immediately.',
});

export const HandoffCancelReason = enumOf<Extract<EndReason, 'BOT_CANCELLED' | 'USER_ENDED'>>(
  'HandoffCancelReason',
  'The reason for which the runtime cancels a handoff.',
  {
    BOT_CANCELLED: 'The bot no longer needs a human agent.',
    USER_ENDED: 'The end-user no longer wants a human agent.',
  },
);

export const MessageAuthorEnum = enumOf<MessageAuthor>('SupportMessageAuthor', 'The author of a message.', {
  END_USER: 'The end-user.',
  BOT: 'The bot.',
  AGENT: 'A human agent of the support team.',
  SYSTEM:
    'This service: a line of the policy such as "a colleague will be with you", or a forwarded automatic message.',
});

export const ChannelStateEnum = enumOf<ChannelState>(
  'SupportChannelState',
  "The state of a message on the end-user's channel.",
  {
    DELIVERED: "It is on the end-user's screen.",
    READ: 'The end-user has read it.',
    FAILED: 'It will not be delivered.',
  },
);

export const ReactionSideEnum = enumOf<ReactionSide>('SupportReactionSide', 'The party that reacts to a message.', {
  END_USER: 'The end-user.',
  BOT: 'The bot.',
});

export const ChoicesStyleEnum = enumOf<ChoicesStyle>(
  'SupportChoicesStyle',
  'The style in which choices should be displayed.',
  {
    BUTTONS: 'They stay with the message.',
    QUICK_REPLIES: 'They disappear after a choice or any other message.',
  },
);

export const FormFieldTypeEnum = enumOf<FormFieldType>(
  'SupportFormFieldType',
  'The kind of value that a form field accepts.',
  {
    TEXT: 'One line.',
    LONG_TEXT: 'Several lines.',
    EMAIL: 'An e-mail address.',
    PHONE: 'A phone number.',
    NUMBER: 'A number.',
    DATE: 'A date.',
    SELECT: "One of the field's options.",
  },
);

export const MessageVisibilityEnum = enumOf<MessageVisibility>(
  'SupportMessageVisibility',
  'The audience of a message.',
  {
    PUBLIC: 'The end-user may see it.',
    INTERNAL: 'Agents only: never show it to the end-user.',
  },
);

export const OnControlLost = enumOf<'REJECT' | 'SUGGEST'>(
  'SupportOnControlLost',
  'The handling of a bot message when the bot has lost control.',
  {
    REJECT: 'It fails with CONTROL_LOST and is not stored.',
    SUGGEST: 'It is stored as an internal suggestion, which agents see and the end-user does not.',
  },
);

export const ProvisioningStateEnum = enumOf<ProvisioningState>('SupportProvisioningState', 'The progress of setup.', {
  PROVISIONING: 'In progress or interrupted; calling again continues it.',
  READY: 'Set up and usable.',
  FAILED: 'Stopped; `problem` says why and what to do.',
  DISABLED: 'Disabled.',
});

export const AgentRole = enumOf<AgentRecord['role']>('SupportAgentRole', "The agent's role at the provider.", {
  ADMINISTRATOR: 'May change the account.',
  AGENT: 'Answers conversations.',
});

export const AccountHealthStateEnum = enumOf<AccountHealthState>(
  'SupportAccountHealthState',
  'The health of an account, by the last check or by a later response of the provider.',
  {
    UNKNOWN: 'Not checked yet.',
    HEALTHY: 'Everything is as configured.',
    DRIFTED: 'Something at the provider differs from what this service configured; supportDrift lists it.',
    UNREACHABLE: 'The provider does not respond.',
    UNAUTHORIZED: 'The provider rejects our credentials or our role; `problem` says which and what to do.',
  },
);

export const DriftKindEnum = enumOf<DriftKind>('SupportDriftKind', 'The subject of a drift check.', {
  SERVER: "The provider's server.",
  BOT_AGENT_TOKEN: 'The token of our bot agent: it must work.',
  BOT_AGENT_ROLE: 'The role of our bot agent: administrator is required.',
  BOT_AGENT_NAME: 'The name of our bot agent.',
  AGENT_BOT: 'The bot that has conversations before a handoff and writes into them.',
  OWNER: 'The role of an owner: administrator is required.',
  INBOX: 'The inbox of a chatbot: it must exist and belong to this service.',
  INBOX_NAME: 'The name of an inbox: it must be that of its chatbot.',
  INBOX_WEBHOOK_URL: 'The webhook URL of an inbox: it must lead to this service.',
  INBOX_WEBHOOK_SECRET: "The secret that signs an inbox's webhooks: this service must have it.",
  INBOX_AGENT_BOT: 'The bot of an inbox: new conversations must be assigned to it.',
  INBOX_SETTINGS: 'Greeting, automatic assignment, single-conversation lock, working hours.',
  INBOX_MEMBERS: 'The members of an inbox, if they were set through this API.',
  TEAM_MEMBERS: 'The members of a team, if they were set through this API.',
  TEAM_SETTINGS: 'The automatic assignment of a team that this service created: it must be as requested.',
  WEBHOOK_DELIVERY: "The delivery of webhooks by the provider's server.",
  CONVERSATION: "The display of conversations by the provider's server.",
});

export const RuntimeEndpointStateEnum = enumOf<RuntimeEndpointState>(
  'SupportRuntimeEndpointState',
  'The state of a runtime endpoint.',
  {
    UNVERIFIED: 'Not yet: call enableSupportRuntimeEndpoint to verify it.',
    ACTIVE: 'Deliveries are pushed.',
    DISABLED: 'No longer pushed. Deliveries wait in the runtime inbox; enabling the endpoint again pushes them.',
  },
);

export const EndpointDisabledReasonEnum = enumOf<EndpointDisabledReason>(
  'SupportRuntimeEndpointDisabledReason',
  'The reason for which an endpoint was disabled.',
  {
    OPERATOR: 'An operator disabled it.',
    GONE: 'It responded with 410: it wants no more pushes.',
    FAILING: 'Every push failed for days.',
  },
);

export const ControlReason = enumOf<Explanation['reason']>(
  'SupportControlReason',
  'The reason for which the bot may or may not answer.',
  {
    BOT_HAS_CONTROL: 'No live handoff: the bot may answer.',
    WAITING_FOR_AGENT: 'A handoff was requested; by policy the bot is silent meanwhile.',
    WAITING_BOT_MAY_ANSWER: 'A handoff was requested; by policy the bot may answer meanwhile.',
    AGENT_HAS_CONTROL: 'A human agent has the conversation.',
    HANDOFF_ENDING: "The handoff is over, but the runtime has not yet collected the agent's last messages.",
    SESSION_CLOSED: 'The session is closed.',
  },
);

export const SupportErrorCode = enumOf(
  'SupportErrorCode',
  'The error of a mutation; docs/errors.md has the next step for each.',
  USER_ERROR_CODES,
);
