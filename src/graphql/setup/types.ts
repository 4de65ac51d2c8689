import { Directive, Field, ID, Int, ObjectType } from 'type-graphql';
import type { DriftItem } from '../../core/ports/provider/drift';
import type { AccountHealth, AccountRecord, InboxRecord, SupportPolicy } from '../../core/setup';
import {
  AccountHealthStateEnum,
  AgentRole,
  AutomaticReplies,
  DriftKindEnum,
  LostConversation,
  Mirroring,
  OnDeadLetter,
  ProvisioningStateEnum,
  WhileWaiting,
} from '../shared/enums';
import { DateTime, Json } from '../shared/scalars';

@ObjectType({ simpleResolvers: true, description: 'The problem that stopped setup.' })
export class SupportProblem {
  @Field(() => String, { description: 'Stable; see docs/errors.md.' }) code: string;
  @Field(() => String, { description: 'One sentence for the operator.' }) message: string;
}

@ObjectType({ simpleResolvers: true, description: "The capabilities of the organization's provider." })
export class SupportCapabilities {
  @Field(() => Boolean) teams: boolean;
  @Field(() => Boolean) priorities: boolean;
  @Field(() => Boolean) privateNotes: boolean;
  @Field(() => Boolean) attachments: boolean;
  @Field(() => Boolean) typing: boolean;
  @Field(() => Boolean) createsAccounts: boolean;
  @Field(() => Boolean, { description: 'True if agents can be added, given a role and removed through this API.' })
  managesAgents: boolean;
  @Field(() => Boolean, { description: 'True if the members of an inbox can be set through this API.' })
  inboxMembers: boolean;
  @Field(() => Boolean, { description: 'True if teams can be created and their members set through this API.' })
  managesTeams: boolean;
  @Field(() => Boolean, { description: 'True if agents that this service created can log in with a link.' })
  loginLinks: boolean;
  @Field(() => Boolean, { description: 'True if supportDrift and repairSupportDrift work.' }) inspectsDrift: boolean;
  @Field(() => Int) maxTextLength: number;
}

@ObjectType({ simpleResolvers: true, description: 'The health of an account.' })
export class SupportAccountHealth {
  @Field(() => AccountHealthStateEnum) state: AccountHealth['state'];
  @Field(() => SupportProblem, { nullable: true }) problem: SupportProblem | null;
  @Field(() => DateTime, { nullable: true }) checkedAt: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The desired and the observed state of one thing at the provider.' })
export class SupportDriftItem {
  @Field(() => ID, { description: 'The same at each inspection.' }) id: string;
  @Field(() => DriftKindEnum) kind: DriftItem['kind'];
  @Field(() => String) subject: string;
  @Field(() => String, { nullable: true }) desired: string | null;
  @Field(() => String, { nullable: true }) observed: string | null;
  @Field(() => Boolean, { description: 'True if repairSupportDrift can correct it.' }) repairable: boolean;
  @Field(() => String, { nullable: true, description: 'Null: as desired. Otherwise one sentence with the next step.' })
  problem: string | null;
}

@ObjectType({ simpleResolvers: true, description: "The organization's account at a provider." })
@Directive('@key(fields: "id")')
export class SupportAccount {
  @Field(() => ID) id: string;
  @Field(() => String, { description: 'The name of the provider.' }) provider: string;
  @Field(() => String) name: string;
  @Field(() => String, { nullable: true, description: "The provider's own id; opaque." }) externalId: string | null;
  @Field(() => String, { nullable: true }) baseUrl: string | null;
  @Field(() => Json) settings: AccountRecord['settings'];
  @Field(() => SupportCapabilities) capabilities: SupportCapabilities;
  @Field(() => ProvisioningStateEnum) state: AccountRecord['state'];
  @Field(() => SupportProblem, { nullable: true }) problem: SupportProblem | null;
  @Field(() => SupportAccountHealth) health: SupportAccountHealth;
  @Field(() => DateTime) createdAt: string;
}

@ObjectType({ simpleResolvers: true, description: 'Lines that this service sends to the end-user. Null: no line.' })
export class SupportPolicyLines {
  @Field(() => String, { nullable: true, description: 'When the provider has accepted the handoff.' }) queued:
    | string
    | null;
  @Field(() => String, { nullable: true, description: 'When no agent is available.' }) rejected: string | null;
  @Field(() => String, { nullable: true, description: 'When the provider cannot be used.' }) failed: string | null;
  @Field(() => String, { nullable: true, description: 'When the handoff has ended.' }) ended: string | null;
}

@ObjectType('SupportPolicy', { simpleResolvers: true, description: 'The handoff policy of a chatbot.' })
export class SupportPolicyType {
  @Field(() => WhileWaiting) whileWaiting: SupportPolicy['whileWaiting'];
  @Field(() => Mirroring) mirroring: SupportPolicy['mirroring'];
  @Field(() => OnDeadLetter) onDeadLetter: SupportPolicy['onDeadLetter'];
  @Field(() => AutomaticReplies) automaticReplies: SupportPolicy['automaticReplies'];
  @Field(() => LostConversation) lostConversation: SupportPolicy['lostConversation'];
  @Field(() => SupportPolicyLines) lines: SupportPolicyLines;
}

@ObjectType({ simpleResolvers: true, description: "The provider's inbox of one chatbot." })
@Directive('@key(fields: "id")')
export class SupportInbox {
  @Field(() => ID) id: string;
  @Field(() => String) name: string;
  @Field(() => String, { nullable: true, description: "The provider's own id; opaque." }) externalId: string | null;
  @Field(() => SupportPolicyType) policy: SupportPolicyType;
  @Field(() => ProvisioningStateEnum) state: InboxRecord['state'];
  @Field(() => SupportProblem, { nullable: true }) problem: SupportProblem | null;
  @Field(() => DateTime) createdAt: string;
}

@ObjectType({ simpleResolvers: true, description: 'A team at the provider.' })
@Directive('@key(fields: "id")')
export class SupportTeam {
  @Field(() => ID) id: string;
  @Field(() => String, { description: "The provider's id; also accepted as the target of a handoff." })
  externalId: string;
  @Field(() => String) name: string;
}

@ObjectType({ simpleResolvers: true, description: 'A person who answers end-users at the provider. Never a bot.' })
@Directive('@key(fields: "id")')
export class SupportAgent {
  @Field(() => ID) id: string;
  @Field(() => String, { description: "The provider's id; also accepted as the target of a handoff." })
  externalId: string;
  @Field(() => String) name: string;
  @Field(() => String, { nullable: true }) email: string | null;
  @Field(() => AgentRole) role: 'ADMINISTRATOR' | 'AGENT';
}

@ObjectType({ simpleResolvers: true, description: 'Support of a chatbot.' })
export class SupportChatbot {
  @Field(() => SupportInbox) inbox: SupportInbox;
  @Field(() => ProvisioningStateEnum) state: InboxRecord['state'];
  @Field(() => SupportProblem, { nullable: true }) problem: SupportProblem | null;
  @Field(() => SupportPolicyType) policy: SupportPolicyType;
}
