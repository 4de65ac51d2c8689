import type { OperationContext } from './operation/context';
import type { EntitiesResolver } from './federation';
import { loadAll, type Loaders } from './operation/loaders';

type EntityLoader = (
  loaders: Loaders,
  ids: readonly string[],
  organizationId: string,
) => Promise<readonly (object | null)[]>;

/**
 * Loads the entities of each type with one statement. Our own entities are null if unknown or foreign. Other subgraphs
 * own organizations and users, so this one cannot know whether they exist: it returns its data about them, which for a
 * foreign one is empty.
 */
const ENTITY_LOADERS: Readonly<Record<string, EntityLoader>> = {
  SupportAccount: (loaders, ids) => loadAll(loaders.account, ids),
  SupportInbox: (loaders, ids) => loadAll(loaders.inbox, ids),
  SupportTeam: (loaders, ids) => loadAll(loaders.team, ids),
  SupportAgent: (loaders, ids) => loadAll(loaders.agent, ids),
  SupportSession: (loaders, ids) => loadAll(loaders.session, ids),
  Handoff: (loaders, ids) => loadAll(loaders.handoff, ids),
  Chatbot: async (loaders, ids) =>
    (await loadAll(loaders.inboxOfChatbot, ids)).map(inbox => inbox && { id: inbox.chatbotId }),
  User: async (loaders, ids) => {
    await loadAll(loaders.agentsOfUser, ids);
    return ids.map(id => ({ id }));
  },
  Organization: async (_loaders, ids) => ids.map(id => ({ id })),
};

export const resolveEntities: EntitiesResolver = async (representations, context: OperationContext) => {
  const { organizationId } = context.scope('READ');
  const kinds = new Map<string, { readonly ids: string[]; readonly at: number[] }>();
  representations.forEach((representation, at) => {
    const { __typename: kind, id } = (representation ?? {}) as { __typename?: unknown; id?: unknown };
    if (typeof kind !== 'string' || typeof id !== 'string' || !Object.hasOwn(ENTITY_LOADERS, kind)) return;
    const batch = kinds.get(kind) ?? { ids: [], at: [] };
    kinds.set(kind, batch);
    batch.ids.push(id);
    batch.at.push(at);
  });
  const answers: (object | null)[] = new Array(representations.length).fill(null);
  await Promise.all(
    [...kinds].map(async ([kind, { ids, at }]) => {
      const values = await ENTITY_LOADERS[kind]!(context.loaders, ids, organizationId);
      values.forEach((value, i) => {
        answers[at[i]!] = value && { ...value, __typename: kind };
      });
    }),
  );
  return answers;
};
