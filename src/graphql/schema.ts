import 'reflect-metadata';
import { type GraphQLArgument, type GraphQLSchema, isObjectType } from 'graphql';
import { buildSchema, type ClassType } from 'type-graphql';
import type { Flows } from '../core/flows/api';
import type { Stores } from '../core/ports/stores';
import { resolveEntities } from './entities';
import { toSubgraphSchema } from './federation';
import { DeadLetters, SupportDeadLetterConnectionFields, SupportDeadLetterFields } from './resolvers/dead-letters';
import {
  HandoffOutcomeNoticeFields, HandoffStateNoticeFields, HandoffSurveyNoticeFields, MessageNoticeFields, SupportFileNotDeliveredNoticeFields, SupportRuntimeDeliveryFields,
} from './resolvers/delivery-fields';
import { MessageEventFields, SupportSessionEventFields } from './resolvers/event-fields';
import { HandoffAgentFields, HandoffFields } from './resolvers/handoff-fields';
import { ChatbotFields, OrganizationFields, SupportChatbotFields, UserFields } from './resolvers/platform';
import { PeopleMutations } from './resolvers/people-mutations';
import { MessageChangeMutations } from './resolvers/message-change-mutations';
import { Queries } from './resolvers/queries';
import { RuntimeEndpoints } from './resolvers/runtime-endpoints';
import { ReadMarkMutations } from './resolvers/read-marks';
import { RuntimeMutations } from './resolvers/runtime-mutations';
import { SupportMessageFields, SupportSessionFields } from './resolvers/session-fields';
import { SupportAccountFields, SupportAgentFields, SupportInboxFields, SupportTeamFields } from './resolvers/setup-fields';
import { SetUpMutations } from './resolvers/setup-mutations';
import { UpkeepMutations } from './resolvers/upkeep-mutations';
import { SupportConversationStatusFields, Subscriptions } from './resolvers/subscriptions';
import { SupportTypingFields, TypingResolver } from './resolvers/typing';

export interface SchemaDeps { readonly flows: Flows; readonly stores: Stores; readonly fileUrl?: ConstructorParameters<typeof SupportMessageFields>[0] }

/** Creates an instance of every resolver class. Nothing is registered globally. */
const resolversOf = ({ flows, stores, fileUrl }: SchemaDeps): readonly object[] => [
  new Queries(flows, stores), new RuntimeMutations(flows), new MessageChangeMutations(flows), new SetUpMutations(flows), new PeopleMutations(flows), new UpkeepMutations(flows), new DeadLetters(flows, stores),
  new RuntimeEndpoints(flows, stores), new TypingResolver(flows), new ReadMarkMutations(flows), new Subscriptions(),
  new OrganizationFields(), new ChatbotFields(), new SupportChatbotFields(), new UserFields(),
  new SupportAccountFields(), new SupportInboxFields(), new SupportTeamFields(), new SupportAgentFields(),
  new SupportSessionFields(), new SupportMessageFields(fileUrl), new HandoffFields(), new HandoffAgentFields(),
  new SupportSessionEventFields(), ...MessageEventFields.map((Fields) => new Fields()),
  new SupportRuntimeDeliveryFields(), ...MessageNoticeFields.map((Fields) => new Fields()), new HandoffStateNoticeFields(), new HandoffOutcomeNoticeFields(),
  new HandoffSurveyNoticeFields(), new SupportFileNotDeliveredNoticeFields(),
  new SupportConversationStatusFields(), new SupportDeadLetterConnectionFields(), new SupportDeadLetterFields(), new SupportTypingFields(),
];

/** Builds the schema as clients know it, without federation's own fields. */
export async function buildApiSchema(deps: SchemaDeps): Promise<GraphQLSchema> {
  const instances = new Map(resolversOf(deps).map((resolver) => [resolver.constructor as ClassType, resolver]));
  const schema = await buildSchema({
    resolvers: [...instances.keys()] as [ClassType, ...ClassType[]],
    container: { get: (resolver) => instances.get(resolver as ClassType) },
    validate: false,
    // Subscriptions bring their own iterators, but type-graphql requires a pubSub.
    pubSub: { publish: () => undefined, subscribe: () => { throw new Error('no topics'); } },
  });
  // type-graphql's parameter decorators run from last to first, so the arguments are in reverse order.
  for (const type of Object.values(schema.getTypeMap()))
    if (isObjectType(type)) for (const field of Object.values(type.getFields())) (field.args as GraphQLArgument[]).reverse();
  return schema;
}

/** Builds the subgraph schema that is served. */
export const buildSupportSchema = async (deps: SchemaDeps): Promise<GraphQLSchema> => toSubgraphSchema(await buildApiSchema(deps), resolveEntities);
