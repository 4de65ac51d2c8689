import { Field, ID, InputType, Int } from 'type-graphql';
import type { SupportPolicy } from '../../core/setup';
import type { AgentRecord } from '../../core/setup';
import { AgentRole, AutomaticReplies, LostConversation, Mirroring, OnDeadLetter, WhileWaiting } from './enums';
import { Json } from './scalars';

@InputType()
export class SupportOwnerInput {
  @Field(() => String) name: string;
  @Field(() => String) email: string;
}

@InputType()
export class EnableSupportInput {
  @Field(() => String, { description: 'A provider that is installed here.' }) provider: string;
  @Field(() => String, { description: 'The organization\'s name as people should see it there.' }) name: string;
  @Field(() => String, { nullable: true }) baseUrl?: string | null;
  @Field(() => Json, { nullable: true, description: 'The provider\'s own settings; its README lists them.' }) settings?: unknown;
  @Field(() => Json, { nullable: true, description: 'Named secrets. Stored encrypted, never readable back. On a repeat the stored ones serve.' }) credentials?: unknown;
  @Field(() => [SupportOwnerInput], { nullable: true, description: 'Become administrators there.' }) owners?: SupportOwnerInput[] | null;
}

@InputType({ description: 'What is not given stays as it is; null says nothing to the end-user.' })
export class SupportPolicyLinesInput {
  @Field(() => String, { nullable: true }) queued?: string | null;
  @Field(() => String, { nullable: true }) rejected?: string | null;
  @Field(() => String, { nullable: true }) failed?: string | null;
  @Field(() => String, { nullable: true }) ended?: string | null;
}

@InputType({ description: 'What is not given stays as it is.' })
export class SupportPolicyInput {
  @Field(() => WhileWaiting, { nullable: true }) whileWaiting?: SupportPolicy['whileWaiting'] | null;
  @Field(() => Mirroring, { nullable: true }) mirroring?: SupportPolicy['mirroring'] | null;
  @Field(() => OnDeadLetter, { nullable: true }) onDeadLetter?: SupportPolicy['onDeadLetter'] | null;
  @Field(() => AutomaticReplies, { nullable: true }) automaticReplies?: SupportPolicy['automaticReplies'] | null;
  @Field(() => LostConversation, { nullable: true }) lostConversation?: SupportPolicy['lostConversation'] | null;
  @Field(() => SupportPolicyLinesInput, { nullable: true }) lines?: SupportPolicyLinesInput | null;
}

@InputType()
export class EnableChatbotSupportInput {
  @Field(() => ID) chatbotId: string;
  @Field(() => String, { description: 'The chatbot\'s name; the inbox is called so.' }) name: string;
  @Field(() => ID, { nullable: true, description: 'Needed only with several accounts.' }) accountId?: string | null;
  @Field(() => SupportPolicyInput, { nullable: true }) policy?: SupportPolicyInput | null;
}

@InputType()
export class UpdateSupportPolicyInput {
  @Field(() => ID) chatbotId: string;
  @Field(() => SupportPolicyInput) policy: SupportPolicyInput;
}

@InputType()
export class RefreshSupportDirectoryInput {
  @Field(() => ID) accountId: string;
}

@InputType({ description: 'Exactly one of agentId and email.' })
export class LinkSupportAgentInput {
  @Field(() => ID, { nullable: true }) agentId?: string | null;
  @Field(() => String, { nullable: true, description: 'Links whoever has this address now, and whoever is listed with it later.' }) email?: string | null;
  @Field(() => ID, { nullable: true, description: 'Null: takes the link away.' }) userId?: string | null;
}

const OURS_OR_THEIRS = 'Our id, or the provider\'s own number.';
const ACCOUNT = { nullable: true, description: 'Needed only with several accounts.' } as const;

@InputType()
export class RotateSupportWebhookSecretInput {
  @Field(() => ID, ACCOUNT) accountId?: string | null;
  @Field(() => String, { description: 'The same key again goes on with the same rotation, and makes no other secret.' }) idempotencyKey: string;
  @Field(() => Int, { nullable: true, description: 'How long the old secret is accepted once the provider has the new URL: 0 to 604800, and a day if omitted. 0 ends it at once.' }) previousValidSeconds?: number | null;
}

@InputType()
export class AddSupportAgentInput {
  @Field(() => ID, ACCOUNT) accountId?: string | null;
  @Field(() => String) name: string;
  @Field(() => String, { description: 'Known by it: a person who is there already gets the role.' }) email: string;
  @Field(() => AgentRole, { defaultValue: 'AGENT' }) role: AgentRecord['role'];
  @Field(() => ID, { nullable: true, description: 'Who this is on the platform.' }) userId?: string | null;
  @Field(() => [ID], { nullable: true, description: 'Ids of inboxes that the person sees too. Whoever sees them stays.' }) inboxIds?: readonly string[] | null;
  @Field(() => [ID], { nullable: true, description: 'Teams that the person joins, by our id or the provider\'s own number. Whoever is in them stays.' }) teamIds?: readonly string[] | null;
}

@InputType()
export class ChangeSupportAgentRoleInput {
  @Field(() => ID, ACCOUNT) accountId?: string | null;
  @Field(() => ID, { description: OURS_OR_THEIRS }) agentId: string;
  @Field(() => AgentRole) role: AgentRecord['role'];
}

@InputType()
export class RemoveSupportAgentInput {
  @Field(() => ID, ACCOUNT) accountId?: string | null;
  @Field(() => ID, { description: OURS_OR_THEIRS }) agentId: string;
  @Field(() => Boolean, { defaultValue: false, description: 'Allows that the provider forgets the person altogether, where it cannot be done otherwise or this is their last account.' }) deletePerson: boolean;
}

@InputType()
export class SetSupportInboxMembersInput {
  @Field(() => ID) chatbotId: string;
  @Field(() => [ID], { description: `Exactly these, besides administrators. ${OURS_OR_THEIRS}` }) agentIds: string[];
}

@InputType()
export class MakeSupportTeamInput {
  @Field(() => ID, ACCOUNT) accountId?: string | null;
  @Field(() => String, { description: 'The provider may spell it its own way.' }) name: string;
  @Field(() => [ID], { nullable: true, description: OURS_OR_THEIRS }) agentIds?: string[] | null;
  @Field(() => Boolean, { defaultValue: false, description: 'Whether the provider gives conversations of this team to its members who are online by itself. Off if omitted: whoever takes a conversation has it.' }) autoAssign: boolean;
}

@InputType()
export class SetSupportTeamMembersInput {
  @Field(() => ID, ACCOUNT) accountId?: string | null;
  @Field(() => ID, { description: OURS_OR_THEIRS }) teamId: string;
  @Field(() => [ID], { description: `Exactly these. ${OURS_OR_THEIRS}` }) agentIds: string[];
}

@InputType()
export class CreateSupportLoginLinkInput {
  @Field(() => ID, ACCOUNT) accountId?: string | null;
  @Field(() => ID, { description: OURS_OR_THEIRS }) agentId: string;
}

@InputType()
export class RepairSupportDriftInput {
  @Field(() => ID) accountId: string;
  @Field(() => [ID], { description: 'Ids of supportDrift. What is in order by now is passed over.' }) items: string[];
}

@InputType()
export class DisableSupportInput {
  @Field(() => ID, ACCOUNT) accountId?: string | null;
}

@InputType()
export class DisableChatbotSupportInput {
  @Field(() => ID) chatbotId: string;
}
