import { Field, ID, Int, InterfaceType, ObjectType } from 'type-graphql';
import type { Control } from '../../core/control';
import type { UserErrorView } from '../errors';
import { ListSize } from '../cost/list-size';
import { SupportControl, SupportErrorCode } from './enums';
import { Handoff } from './handoff';
import { DateTime } from './scalars';
import { SupportMessage, SupportSession } from './session';
import { SupportAccount, SupportAgent, SupportDriftItem, SupportInbox, SupportTeam } from './setup';

@ObjectType({ simpleResolvers: true, description: 'Why nothing was done, in a form that the caller can act on.' })
export class SupportUserError {
  @Field(() => SupportErrorCode) code: UserErrorView['code'];
  @Field(() => String, { nullable: true, description: 'The input field that it is about.' }) field: string | null;
  @Field(() => String, { description: 'For people; may change. Switch over `code`.' }) message: string;
  @Field(() => SupportControl, { nullable: true, description: 'With CONTROL_LOST: who has control now.' }) control: Control | null;
  @Field(() => Int, { nullable: true, description: 'With CONTROL_LOST: the current epoch.' }) epoch: number | null;
  @Field(() => Int, { nullable: true, description: 'With IDEMPOTENCY_IN_PROGRESS: call again with the same key after so long.' }) retryAfterMs: number | null;
}

@InterfaceType({ description: 'What every mutation answers.', resolveType: (value: { readonly __typename: string }) => value.__typename })
export abstract class SupportPayload {
  @ListSize(1)
  @Field(() => [SupportUserError], { description: 'Empty: it was done.' }) userErrors: readonly SupportUserError[];
}
const payload = { implements: SupportPayload, simpleResolvers: true } as const;
const nullable = { nullable: true } as const;
const replayed = { description: 'This key was answered before; this is that answer.' } as const;

@ObjectType(payload)
export class OpenSupportSessionPayload extends SupportPayload {
  @Field(() => SupportSession, nullable) session?: unknown;
  @Field(() => Boolean, { description: 'It was made now.' }) created: boolean;
}

@ObjectType(payload)
export class RecordEndUserMessagePayload extends SupportPayload {
  @Field(() => SupportMessage, nullable) message?: unknown;
  @Field(() => SupportSession, nullable) session?: unknown;
  @Field(() => Boolean, { description: 'Whether a bot message with the session\'s epoch would reach the end-user now.' }) mayReply: boolean;
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
  @Field(() => Boolean, { description: 'One was live already and is the one returned; nothing was made.' }) alreadyLive: boolean;
  @Field(() => Boolean, replayed) replayed: boolean;
}

@ObjectType(payload)
export class CancelHandoffPayload extends SupportPayload {
  @Field(() => Handoff, nullable) handoff?: unknown;
  @Field(() => SupportSession, nullable) session?: unknown;
  @Field(() => Boolean, { description: 'It was over before; nothing was done.' }) alreadyEnded: boolean;
  @Field(() => Boolean, replayed) replayed: boolean;
}

@ObjectType(payload)
export class EndHandoffPayload extends SupportPayload {
  @Field(() => Handoff, nullable) handoff?: unknown;
  @Field(() => SupportSession, nullable) session?: unknown;
  @Field(() => Boolean, { description: 'It was over before; nothing was done.' }) alreadyEnded: boolean;
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
  @Field(() => [ID], { description: 'Not yours or not there; nothing to do about them.' }) unknown: readonly string[];
}

@ObjectType(payload)
export class AcknowledgeRuntimeDeliveriesThroughPayload extends SupportPayload {
  @Field(() => Int, { description: 'How many were waiting until now.' }) acknowledged: number;
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
  @Field(() => [String], { description: 'What could not be done from here: sentences for the operator.' }) leftToDo: readonly string[];
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
  @Field(() => SupportAgent, { nullable: true, description: 'By e-mail: null while nobody has that address.' }) agent?: unknown;
}

@ObjectType(payload)
export class RotateSupportWebhookSecretPayload extends SupportPayload {
  @Field(() => SupportAccount, nullable) account?: unknown;
  @Field(() => [String], { description: 'Inboxes that the provider could not be told about; repeat the call with the same key.' }) leftToDo: readonly string[];
  @Field(() => DateTime, { nullable: true, description: 'Until when the old secret is accepted. Null: the provider may still use it.' }) previousExpiresAt?: string | null;
}

@ObjectType(payload)
export class AddSupportAgentPayload extends SupportPayload {
  @Field(() => SupportAgent, { nullable: true, description: 'Also beside userErrors that name a membership: then the person is in the account, and the same call again does the rest.' }) agent?: unknown;
  @Field(() => [SupportInbox], { description: 'Of those named, the ones that the person sees now.' }) inboxes: readonly unknown[];
  @Field(() => [SupportTeam], { description: 'Of those named, the ones that the person is in now.' }) teams: readonly unknown[];
}

@ObjectType(payload)
export class ChangeSupportAgentRolePayload extends SupportPayload {
  @Field(() => SupportAgent, nullable) agent?: unknown;
}

@ObjectType(payload)
export class RemoveSupportAgentPayload extends SupportPayload {
  @Field(() => SupportAgent, { nullable: true, description: 'Who was removed; old handoffs still name them.' }) agent?: unknown;
}

@ObjectType(payload)
export class SetSupportInboxMembersPayload extends SupportPayload {
  @Field(() => SupportInbox, nullable) inbox?: unknown;
}

@ObjectType(payload)
export class MakeSupportTeamPayload extends SupportPayload {
  @Field(() => SupportTeam, nullable) team?: unknown;
}

@ObjectType(payload)
export class SetSupportTeamMembersPayload extends SupportPayload {
  @Field(() => SupportTeam, nullable) team?: unknown;
}

@ObjectType(payload)
export class CreateSupportLoginLinkPayload extends SupportPayload {
  @Field(() => SupportAgent, nullable) agent?: unknown;
  @Field(() => String, { nullable: true, description: 'Signs this agent in, once and within minutes. A secret: show it to nobody else, store it nowhere.' }) url?: string;
}

@ObjectType(payload)
export class RepairSupportDriftPayload extends SupportPayload {
  @Field(() => SupportAccount, nullable) account?: unknown;
  @Field(() => [SupportDriftItem], { description: 'How it is afterwards.' }) items: readonly unknown[];
}

@ObjectType(payload)
export class DisableSupportPayload extends SupportPayload {
  @Field(() => SupportAccount, nullable) account?: unknown;
  @Field(() => Int, { description: 'Live handoffs that ended with it.' }) endedHandoffs: number;
}

@ObjectType(payload)
export class DisableChatbotSupportPayload extends SupportPayload {
  @Field(() => SupportInbox, nullable) inbox?: unknown;
  @Field(() => Int, { description: 'Live handoffs that ended with it.' }) endedHandoffs: number;
}
