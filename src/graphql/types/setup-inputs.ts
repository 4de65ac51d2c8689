import { Field, ID, InputType } from 'type-graphql';
import type { SupportPolicy } from '../../core/setup';
import { Mirroring, WhileWaiting } from './enums';
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

@InputType()
export class LinkSupportAgentInput {
  @Field(() => ID) agentId: string;
  @Field(() => ID, { nullable: true, description: 'Null: takes the link away.' }) userId?: string | null;
}
