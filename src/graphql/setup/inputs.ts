import { Field, ID, InputType, Int } from 'type-graphql';
import type { SupportPolicy } from '../../core/setup';
import type { AgentRecord } from '../../core/setup';
import { AgentRole, AutomaticReplies, LostConversation, Mirroring, OnDeadLetter, WhileWaiting } from '../shared/enums';
import { Json } from '../shared/scalars';

@InputType()
export class SupportOwnerInput {
  @Field(() => String) name: string;
  @Field(() => String) email: string;
}

@InputType()
export class EnableSupportInput {
  @Field(() => String, { description: 'The name of an installed provider.' }) provider: string;
  @Field(() => String, { description: "The organization's name as agents see it at the provider." }) name: string;
  @Field(() => String, { nullable: true }) baseUrl?: string | null;
  @Field(() => Json, { nullable: true, description: "The provider's own settings; its README lists them." })
  settings?: unknown;
  @Field(() => Json, {
    nullable: true,
    description:
      'Named secrets. Stored encrypted and never returned. If omitted in a repeated call, the stored ones are used.',
  })
  credentials?: unknown;
  @Field(() => [SupportOwnerInput], { nullable: true, description: 'Become administrators at the provider.' }) owners?:
    | SupportOwnerInput[]
    | null;
}

@InputType({ description: 'Omitted lines stay unchanged; null sends nothing to the end-user.' })
export class SupportPolicyLinesInput {
  @Field(() => String, { nullable: true }) queued?: string | null;
  @Field(() => String, { nullable: true }) rejected?: string | null;
  @Field(() => String, { nullable: true }) failed?: string | null;
  @Field(() => String, { nullable: true }) ended?: string | null;
}

@InputType({ description: 'Omitted fields stay unchanged.' })
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
  @Field(() => String, { description: "The chatbot's name, which becomes the name of the inbox." }) name: string;
  @Field(() => ID, { nullable: true, description: 'Required only if the organization has several accounts.' })
  accountId?: string | null;
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

@InputType({ description: 'Give exactly one of agentId and email.' })
export class LinkSupportAgentInput {
  @Field(() => ID, { nullable: true }) agentId?: string | null;
  @Field(() => String, {
    nullable: true,
    description: 'Links the agent that has this email address now, and any agent listed with it later.',
  })
  email?: string | null;
  @Field(() => ID, { nullable: true, description: 'Null: removes the link.' }) userId?: string | null;
}

const ID_DESCRIPTION = "The `id` in this API, or the provider's id.";
const ACCOUNT = { nullable: true, description: 'Required only if the organization has several accounts.' } as const;

@InputType()
export class RotateSupportWebhookSecretInput {
  @Field(() => ID, ACCOUNT) accountId?: string | null;
  @Field(() => String, {
    description: 'Repeating the same key continues the same rotation and creates no other secret.',
  })
  idempotencyKey: string;
  @Field(() => Int, {
    nullable: true,
    description:
      'Seconds for which the old secret is accepted once the provider has the new URL: 0 to 604800; one day if omitted. 0 ends it immediately.',
  })
  previousValidSeconds?: number | null;
}

@InputType()
export class AddSupportAgentInput {
  @Field(() => ID, ACCOUNT) accountId?: string | null;
  @Field(() => String) name: string;
  @Field(() => String, { description: 'Identifies the agent: one who exists already gets the role.' }) email: string;
  @Field(() => AgentRole, { defaultValue: 'AGENT' }) role: AgentRecord['role'];
  @Field(() => ID, { nullable: true, description: 'The user of the platform who this agent is.' }) userId?:
    | string
    | null;
  @Field(() => [ID], {
    nullable: true,
    description: 'Ids of inboxes to which the agent is added. Existing members stay.',
  })
  inboxIds?: readonly string[] | null;
  @Field(() => [ID], {
    nullable: true,
    description:
      "Teams to which the agent is added, by the `id` in this API or the provider's id. Existing members stay.",
  })
  teamIds?: readonly string[] | null;
}

@InputType()
export class ChangeSupportAgentRoleInput {
  @Field(() => ID, ACCOUNT) accountId?: string | null;
  @Field(() => ID, { description: ID_DESCRIPTION }) agentId: string;
  @Field(() => AgentRole) role: AgentRecord['role'];
}

@InputType()
export class RemoveSupportAgentInput {
  @Field(() => ID, ACCOUNT) accountId?: string | null;
  @Field(() => ID, { description: ID_DESCRIPTION }) agentId: string;
  @Field(() => Boolean, {
    defaultValue: false,
    description:
      "Permits deleting the agent's user at the provider, if there is no other way or this is their last account.",
  })
  deletePerson: boolean;
}

@InputType()
export class SetSupportInboxMembersInput {
  @Field(() => ID) chatbotId: string;
  @Field(() => [ID], { description: `The complete list of members, besides administrators. ${ID_DESCRIPTION}` })
  agentIds: string[];
}

@InputType()
export class CreateSupportTeamInput {
  @Field(() => ID, ACCOUNT) accountId?: string | null;
  @Field(() => String, { description: 'The provider may change its spelling.' }) name: string;
  @Field(() => [ID], { nullable: true, description: ID_DESCRIPTION }) agentIds?: string[] | null;
  @Field(() => Boolean, {
    defaultValue: false,
    description:
      'True if the provider should assign conversations of this team to members who are online. If false, agents take conversations themselves.',
  })
  autoAssign: boolean;
}

@InputType()
export class SetSupportTeamMembersInput {
  @Field(() => ID, ACCOUNT) accountId?: string | null;
  @Field(() => ID, { description: ID_DESCRIPTION }) teamId: string;
  @Field(() => [ID], { description: `The complete list of members. ${ID_DESCRIPTION}` }) agentIds: string[];
}

@InputType()
export class CreateSupportLoginLinkInput {
  @Field(() => ID, ACCOUNT) accountId?: string | null;
  @Field(() => ID, { description: ID_DESCRIPTION }) agentId: string;
}

@InputType()
export class RepairSupportDriftInput {
  @Field(() => ID) accountId: string;
  @Field(() => [ID], { description: 'Ids of supportDrift. Items that are in order by now are skipped.' })
  items: string[];
}

@InputType()
export class DisableSupportInput {
  @Field(() => ID, ACCOUNT) accountId?: string | null;
}

@InputType()
export class DisableChatbotSupportInput {
  @Field(() => ID) chatbotId: string;
}
