import { Directive, Field, ID, Int, ObjectType } from 'type-graphql';
import type { AccountRecord, InboxRecord, SupportPolicy } from '../../core/setup';
import { AgentRole, Mirroring, ProvisioningStateEnum, WhileWaiting } from './enums';
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
  @Field(() => Int) maxTextLength: number;
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
