import { Directive, Field, ID, Int, ObjectType } from 'type-graphql';
import type { DriftItem } from '../../core/ports/support-provider';
import type { AccountHealth, AccountRecord, InboxRecord, SupportPolicy } from '../../core/setup';
import { AccountHealthStateEnum, AgentRole, AutomaticReplies, DriftKindEnum, LostConversation, Mirroring, OnDeadLetter, ProvisioningStateEnum, WhileWaiting } from './enums';
import { DateTime, Json } from './scalars';

@ObjectType({ simpleResolvers: true, description: 'Why set-up stopped.' })
export class SupportProblem {
  @Field(() => String, { description: 'Stable; see docs/errors.md.' }) code: string;
  @Field(() => String, { description: 'One sentence for the operator.' }) message: string;
}

@ObjectType({ simpleResolvers: true, description: 'What the organization\'s provider can do.' })
export class SupportCapabilities {
  @Field(() => Boolean) teams: boolean;
  @Field(() => Boolean) priorities: boolean;
  @Field(() => Boolean) privateNotes: boolean;
  @Field(() => Boolean) attachments: boolean;
  @Field(() => Boolean) typing: boolean;
  @Field(() => Boolean) createsAccounts: boolean;
  @Field(() => Boolean, { description: 'People can be added, given a role and removed from here.' }) managesAgents: boolean;
  @Field(() => Boolean, { description: 'Who sees an inbox can be set from here.' }) inboxMembers: boolean;
  @Field(() => Boolean, { description: 'Teams and their members can be made from here.' }) managesTeams: boolean;
  @Field(() => Boolean, { description: 'Agents whom we made can be let in by a link.' }) loginLinks: boolean;
  @Field(() => Boolean, { description: 'supportDrift and repairSupportDrift work.' }) inspectsDrift: boolean;
  @Field(() => Int) maxTextLength: number;
}

@ObjectType({ simpleResolvers: true, description: 'How an account fares.' })
export class SupportAccountHealth {
  @Field(() => AccountHealthStateEnum) state: AccountHealth['state'];
  @Field(() => SupportProblem, { nullable: true }) problem: SupportProblem | null;
  @Field(() => DateTime, { nullable: true }) checkedAt: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'One thing that we want to be so at the provider, and how it is.' })
export class SupportDriftItem {
  @Field(() => ID, { description: 'The same from one look to the next.' }) id: string;
  @Field(() => DriftKindEnum) kind: DriftItem['kind'];
  @Field(() => String) subject: string;
  @Field(() => String, { nullable: true }) desired: string | null;
  @Field(() => String, { nullable: true }) observed: string | null;
  @Field(() => Boolean, { description: 'repairSupportDrift can set it right.' }) repairable: boolean;
  @Field(() => String, { nullable: true, description: 'Null: as desired. Else a sentence with the next step.' }) problem: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The organization\'s account at one support system.' })
@Directive('@key(fields: "id")')
export class SupportAccount {
  @Field(() => ID) id: string;
  @Field(() => String, { description: 'Which provider it is at.' }) provider: string;
  @Field(() => String) name: string;
  @Field(() => String, { nullable: true, description: 'The provider\'s own id; opaque.' }) externalId: string | null;
  @Field(() => String, { nullable: true }) baseUrl: string | null;
  @Field(() => Json) settings: AccountRecord['settings'];
  @Field(() => SupportCapabilities) capabilities: SupportCapabilities;
  @Field(() => ProvisioningStateEnum) state: AccountRecord['state'];
  @Field(() => SupportProblem, { nullable: true }) problem: SupportProblem | null;
  @Field(() => SupportAccountHealth) health: SupportAccountHealth;
  @Field(() => DateTime) createdAt: string;
}

@ObjectType({ simpleResolvers: true, description: 'Lines that the end-user may read from us. Null: nothing is said.' })
export class SupportPolicyLines {
  @Field(() => String, { nullable: true, description: 'Once the provider has taken the handoff.' }) queued: string | null;
  @Field(() => String, { nullable: true, description: 'When nobody is available.' }) rejected: string | null;
  @Field(() => String, { nullable: true, description: 'When the provider cannot be used.' }) failed: string | null;
  @Field(() => String, { nullable: true, description: 'When the handoff has ended.' }) ended: string | null;
}

@ObjectType('SupportPolicy', { simpleResolvers: true, description: 'How one chatbot hands over.' })
export class SupportPolicyType {
  @Field(() => WhileWaiting) whileWaiting: SupportPolicy['whileWaiting'];
  @Field(() => Mirroring) mirroring: SupportPolicy['mirroring'];
  @Field(() => OnDeadLetter) onDeadLetter: SupportPolicy['onDeadLetter'];
  @Field(() => AutomaticReplies) automaticReplies: SupportPolicy['automaticReplies'];
  @Field(() => LostConversation) lostConversation: SupportPolicy['lostConversation'];
  @Field(() => SupportPolicyLines) lines: SupportPolicyLines;
}

@ObjectType({ simpleResolvers: true, description: 'The provider\'s inbox of one chatbot.' })
@Directive('@key(fields: "id")')
export class SupportInbox {
  @Field(() => ID) id: string;
  @Field(() => String) name: string;
  @Field(() => String, { nullable: true, description: 'The provider\'s own id; opaque.' }) externalId: string | null;
  @Field(() => SupportPolicyType) policy: SupportPolicyType;
  @Field(() => ProvisioningStateEnum) state: InboxRecord['state'];
  @Field(() => SupportProblem, { nullable: true }) problem: SupportProblem | null;
  @Field(() => DateTime) createdAt: string;
}

@ObjectType({ simpleResolvers: true, description: 'A team at the provider.' })
@Directive('@key(fields: "id")')
export class SupportTeam {
  @Field(() => ID) id: string;
  @Field(() => String, { description: 'The provider\'s own number; also taken as a handoff\'s target.' }) externalId: string;
  @Field(() => String) name: string;
}

@ObjectType({ simpleResolvers: true, description: 'A person who answers at the provider. Never a bot.' })
@Directive('@key(fields: "id")')
export class SupportAgent {
  @Field(() => ID) id: string;
  @Field(() => String, { description: 'The provider\'s own number; also taken as a handoff\'s target.' }) externalId: string;
  @Field(() => String) name: string;
  @Field(() => String, { nullable: true }) email: string | null;
  @Field(() => AgentRole) role: 'ADMINISTRATOR' | 'AGENT';
}

@ObjectType({ simpleResolvers: true, description: 'What a chatbot has of support. Null on the chatbot: not enabled.' })
export class SupportChatbot {
  @Field(() => SupportInbox) inbox: SupportInbox;
  @Field(() => ProvisioningStateEnum) state: InboxRecord['state'];
  @Field(() => SupportProblem, { nullable: true }) problem: SupportProblem | null;
  @Field(() => SupportPolicyType) policy: SupportPolicyType;
}
