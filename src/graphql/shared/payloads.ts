import { Field, ID, Int, InterfaceType, ObjectType } from 'type-graphql';
import type { Control } from '../../core/control';
import type { UserErrorView } from '../operation/errors';
import { ListSize } from '../cost/list-size';
import { SupportControl, SupportErrorCode } from './enums';
import { Handoff } from '../handoffs/types';
import { DateTime } from './scalars';
import { SupportMessage, SupportSession } from '../sessions/types';
import { SupportAccount, SupportAgent, SupportDriftItem, SupportInbox, SupportTeam } from '../setup/types';

@ObjectType({
  simpleResolvers: true,
  description:
    'An error that the caller can act on. If there is one, nothing was done unless the payload says otherwise.',
})
export class SupportUserError {
  @Field(() => SupportErrorCode) code: UserErrorView['code'];
  @Field(() => String, { nullable: true, description: 'The input field that caused the error.' }) field: string | null;
  @Field(() => String, { description: 'For people; may change. Programs use `code`.' }) message: string;
  @Field(() => SupportControl, { nullable: true, description: 'With CONTROL_LOST: the current control.' })
  control: Control | null;
  @Field(() => Int, { nullable: true, description: 'With CONTROL_LOST: the current epoch.' }) epoch: number | null;
  @Field(() => Int, {
    nullable: true,
    description: 'With IDEMPOTENCY_IN_PROGRESS: wait this long, then call again with the same key.',
  })
  retryAfterMs: number | null;
}

@InterfaceType({
  description: 'The result of a mutation.',
  resolveType: (value: { readonly __typename: string }) => value.__typename,
})
export abstract class SupportPayload {
  @ListSize(1)
  @Field(() => [SupportUserError], { description: 'Empty if the mutation succeeded.' })
  userErrors: readonly SupportUserError[];
}
const payload = { implements: SupportPayload, simpleResolvers: true } as const;
const nullable = { nullable: true } as const;
const replayed = { description: 'True if this key was used before: this is the result of that call.' } as const;

@ObjectType(payload)
export class OpenSupportSessionPayload extends SupportPayload {
  @Field(() => SupportSession, nullable) session?: unknown;
  @Field(() => Boolean, { description: 'True if this call created the session.' }) created: boolean;
}

@ObjectType(payload)
export class RecordEndUserMessagePayload extends SupportPayload {
  @Field(() => SupportMessage, nullable) message?: unknown;
  @Field(() => SupportSession, nullable) session?: unknown;
  @Field(() => Boolean, { description: "True if a bot message with the session's epoch would reach the end-user now." })
  mayReply: boolean;
  @Field(() => Boolean, replayed) replayed: boolean;
}

@ObjectType(payload)
export class SendBotMessagePayload extends SupportPayload {
  @Field(() => SupportMessage, nullable) message?: unknown;
  @Field(() => SupportSession, nullable) session?: unknown;
  @Field(() => Boolean, { description: 'False: show nothing to the end-user.' }) delivered: boolean;
  @Field(() => Boolean, replayed) replayed: boolean;
}

@ObjectType(payload)
export class RequestHandoffPayload extends SupportPayload {
  @Field(() => Handoff, nullable) handoff?: unknown;
  @Field(() => SupportSession, nullable) session?: unknown;
  @Field(() => Boolean, { description: 'True if a handoff was live already: it is returned, and none was created.' })
  alreadyLive: boolean;
  @Field(() => Boolean, replayed) replayed: boolean;
}

@ObjectType(payload)
export class CancelHandoffPayload extends SupportPayload {
  @Field(() => Handoff, nullable) handoff?: unknown;
  @Field(() => SupportSession, nullable) session?: unknown;
  @Field(() => Boolean, { description: 'True if it was over before: nothing was done.' }) alreadyEnded: boolean;
  @Field(() => Boolean, replayed) replayed: boolean;
}

@ObjectType(payload)
export class EndHandoffPayload extends SupportPayload {
  @Field(() => Handoff, nullable) handoff?: unknown;
  @Field(() => SupportSession, nullable) session?: unknown;
  @Field(() => Boolean, { description: 'True if it was over before: nothing was done.' }) alreadyEnded: boolean;
  @Field(() => Boolean, replayed) replayed: boolean;
}

@ObjectType(payload)
export class CloseSupportSessionPayload extends SupportPayload {
  @Field(() => SupportSession, nullable) session?: unknown;
  @Field(() => Boolean) alreadyClosed: boolean;
  @Field(() => Boolean, replayed) replayed: boolean;
}

@ObjectType(payload)
export class AcknowledgeRuntimeDeliveriesPayload extends SupportPayload {
  @Field(() => [ID]) acknowledged: readonly string[];
  @Field(() => [ID], { description: 'Ids that are unknown in your organization. They need no further action.' })
  unknown: readonly string[];
}

@ObjectType(payload)
export class AcknowledgeRuntimeDeliveriesThroughPayload extends SupportPayload {
  @Field(() => Int, { description: 'The number of deliveries that were pending until now.' }) acknowledged: number;
}

@ObjectType(payload)
export class ReportChannelDeliveryPayload extends SupportPayload {
  @Field(() => SupportMessage, nullable) message?: unknown;
  @Field(() => Boolean, replayed) replayed: boolean;
}

@ObjectType(payload)
export class AnswerSurveyPayload extends SupportPayload {
  @Field(() => Handoff, nullable) handoff?: unknown;
  @Field(() => Boolean, replayed) replayed: boolean;
}

@ObjectType(payload)
export class EnableSupportPayload extends SupportPayload {
  @Field(() => SupportAccount, nullable) account?: unknown;
  @Field(() => [String], { description: 'Steps that the operator must do by hand, one sentence each.' })
  manualSteps: readonly string[];
}

@ObjectType(payload)
export class EnableChatbotSupportPayload extends SupportPayload {
  @Field(() => SupportInbox, nullable) inbox?: unknown;
}

@ObjectType(payload)
export class UpdateSupportPolicyPayload extends SupportPayload {
  @Field(() => SupportInbox, nullable) inbox?: unknown;
}

@ObjectType(payload)
export class RefreshSupportDirectoryPayload extends SupportPayload {
  @Field(() => [SupportTeam]) teams: readonly unknown[];
  @Field(() => [SupportAgent]) agents: readonly unknown[];
}

@ObjectType(payload)
export class LinkSupportAgentPayload extends SupportPayload {
  @Field(() => SupportAgent, { nullable: true, description: 'Null if the email address has no agent yet.' })
  agent?: unknown;
}

@ObjectType(payload)
export class RotateSupportWebhookSecretPayload extends SupportPayload {
  @Field(() => SupportAccount, nullable) account?: unknown;
  @Field(() => [String], {
    description: 'Inboxes for which the provider could not be updated; repeat the call with the same key.',
  })
  manualSteps: readonly string[];
  @Field(() => DateTime, {
    nullable: true,
    description: 'The old secret is accepted until then. Null: the provider may still use it.',
  })
  previousExpiresAt?: string | null;
}

@ObjectType(payload)
export class AddSupportAgentPayload extends SupportPayload {
  @Field(() => SupportAgent, {
    nullable: true,
    description:
      'May be set together with userErrors that name a membership: the agent is in the account then, and repeating the call does the rest.',
  })
  agent?: unknown;
  @Field(() => [SupportInbox], { description: 'Of the given inboxes, those that the agent is a member of now.' })
  inboxes: readonly unknown[];
  @Field(() => [SupportTeam], { description: 'Of the given teams, those that the agent is a member of now.' })
  teams: readonly unknown[];
}

@ObjectType(payload)
export class ChangeSupportAgentRolePayload extends SupportPayload {
  @Field(() => SupportAgent, nullable) agent?: unknown;
}

@ObjectType(payload)
export class RemoveSupportAgentPayload extends SupportPayload {
  @Field(() => SupportAgent, { nullable: true, description: 'The removed agent; old handoffs still refer to it.' })
  agent?: unknown;
}

@ObjectType(payload)
export class SetSupportInboxMembersPayload extends SupportPayload {
  @Field(() => SupportInbox, nullable) inbox?: unknown;
}

@ObjectType(payload)
export class CreateSupportTeamPayload extends SupportPayload {
  @Field(() => SupportTeam, nullable) team?: unknown;
}

@ObjectType(payload)
export class SetSupportTeamMembersPayload extends SupportPayload {
  @Field(() => SupportTeam, nullable) team?: unknown;
}

@ObjectType(payload)
export class CreateSupportLoginLinkPayload extends SupportPayload {
  @Field(() => SupportAgent, nullable) agent?: unknown;
  @Field(() => String, {
    nullable: true,
    description:
      'Logs this agent in, once and within minutes. A secret: show it to no other person and do not store it.',
  })
  url?: string;
}

@ObjectType(payload)
export class RepairSupportDriftPayload extends SupportPayload {
  @Field(() => SupportAccount, nullable) account?: unknown;
  @Field(() => [SupportDriftItem], { description: 'The drift after the repair.' }) items: readonly unknown[];
}

@ObjectType(payload)
export class DisableSupportPayload extends SupportPayload {
  @Field(() => SupportAccount, nullable) account?: unknown;
  @Field(() => Int, { description: 'The number of live handoffs that this ended.' }) endedHandoffs: number;
}

@ObjectType(payload)
export class DisableChatbotSupportPayload extends SupportPayload {
  @Field(() => SupportInbox, nullable) inbox?: unknown;
  @Field(() => Int, { description: 'The number of live handoffs that this ended.' }) endedHandoffs: number;
}
