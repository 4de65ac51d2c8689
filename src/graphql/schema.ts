import 'reflect-metadata';
import { type GraphQLArgument, type GraphQLSchema, isObjectType } from 'graphql';
import { buildSchema, type ClassType } from 'type-graphql';
import type { Flows } from '../core/flows/api';
import type { Stores } from '../core/ports/stores';
import { resolveEntities } from './entities';
import { toSubgraphSchema } from './federation';
import { DeadLetters, SupportDeadLetterConnectionFields, SupportDeadLetterFields } from './dead-letters/resolvers';
import {
  HandoffOutcomeNoticeFields,
  HandoffStateNoticeFields,
  HandoffSurveyNoticeFields,
  MessageNoticeFields,
  SupportFileNotDeliveredNoticeFields,
  SupportRuntimeDeliveryFields,
} from './runtime/delivery-fields';
import { MessageEventFields, SupportSessionEventFields } from './sessions/event-fields';
import { HandoffAgentFields, HandoffFields } from './handoffs/fields';
import { ChatbotFields, OrganizationFields, SupportChatbotFields, UserFields } from './platform/fields';
import { AgentAndTeamMutations } from './setup/agent-and-team-mutations';
import { MessageChangeMutations } from './messages/change-mutations';
import { Queries } from './queries';
import { RuntimeEndpoints } from './runtime-endpoints/resolvers';
import { ReadMarkMutations } from './messages/read-mark-mutations';
import { RuntimeMutations } from './runtime/mutations';
import { SupportMessageFields, SupportSessionFields } from './sessions/fields';
import { SupportAccountFields, SupportAgentFields, SupportInboxFields, SupportTeamFields } from './setup/fields';
import { SetupMutations } from './setup/mutations';
import { MaintenanceMutations } from './setup/maintenance-mutations';
import { SupportConversationStatusFields, Subscriptions } from './subscriptions';
import { SupportTypingFields, TypingResolver } from './typing/resolvers';

export interface SchemaDeps {
  readonly flows: Flows;
  readonly stores: Stores;
  readonly fileUrl?: ConstructorParameters<typeof SupportMessageFields>[0];
}

/** Creates an instance of every resolver class. Nothing is registered globally. */
const createResolvers = ({ flows, stores, fileUrl }: SchemaDeps): readonly object[] => [
  new Queries(flows, stores),
  new RuntimeMutations(flows),
  new MessageChangeMutations(flows),
  new SetupMutations(flows),
  new AgentAndTeamMutations(flows),
  new MaintenanceMutations(flows),
  new DeadLetters(flows, stores),
  new RuntimeEndpoints(flows, stores),
  new TypingResolver(flows),
  new ReadMarkMutations(flows),
  new Subscriptions(),
  new OrganizationFields(),
  new ChatbotFields(),
  new SupportChatbotFields(),
  new UserFields(),
  new SupportAccountFields(),
  new SupportInboxFields(),
  new SupportTeamFields(),
  new SupportAgentFields(),
  new SupportSessionFields(),
  new SupportMessageFields(fileUrl),
  new HandoffFields(),
  new HandoffAgentFields(),
  new SupportSessionEventFields(),
  ...MessageEventFields.map(Fields => new Fields()),
  new SupportRuntimeDeliveryFields(),
  ...MessageNoticeFields.map(Fields => new Fields()),
  new HandoffStateNoticeFields(),
  new HandoffOutcomeNoticeFields(),
  new HandoffSurveyNoticeFields(),
  new SupportFileNotDeliveredNoticeFields(),
  new SupportConversationStatusFields(),
  new SupportDeadLetterConnectionFields(),
  new SupportDeadLetterFields(),
  new SupportTypingFields(),
];

/** Builds the schema as clients know it, without federation's own fields. */
export async function buildApiSchema(deps: SchemaDeps): Promise<GraphQLSchema> {
  const instances = new Map(createResolvers(deps).map(resolver => [resolver.constructor as ClassType, resolver]));
  const schema = await buildSchema({
    resolvers: [...instances.keys()] as [ClassType, ...ClassType[]],
    container: { get: resolver => instances.get(resolver as ClassType) },
    validate: false,
    // Subscriptions bring their own iterators, but type-graphql requires a pubSub.
    pubSub: {
      publish: () => undefined,
      subscribe: () => {
        throw new Error('no topics');
      },
    },
  });
  // type-graphql's parameter decorators run from last to first, so the arguments are in reverse order.
  for (const type of Object.values(schema.getTypeMap()))
    if (isObjectType(type))
      for (const field of Object.values(type.getFields())) (field.args as GraphQLArgument[]).reverse();
  return schema;
}

/** Builds the subgraph schema that is served. */
export const buildSupportSchema = async (deps: SchemaDeps): Promise<GraphQLSchema> =>
  toSubgraphSchema(await buildApiSchema(deps), resolveEntities);
