import type { ConversationAccess } from '../../../core/ports/provider/access';
import type { ProviderAgent } from '../../../core/ports/provider/setup-verbs';
import type { ProviderHarnessFactory } from '../../testing/harness';
import { desk } from '..';
import { insertMessage } from '../messages';
import { CAPABILITIES } from '../setup';
import { newOrganization, openWorld } from './world';

/** Runs the desk under the contract suite. Agents act through the desk's API, as its page does. */
export const harness: ProviderHarnessFactory = {
  definition: desk,
  capabilities: CAPABILITIES,
  faults: ['unavailable', 'appliedThenCut', 'auth'],
  skills: ['holdsReply', 'deletesMessages', 'updatesContacts'],
  async start() {
    const world = await openWorld();
    const { database, call } = world;
    const organizations = new Map<string, string>();
    let provider = desk.create(world.host);

    const organizationOf = ({ inbox }: ConversationAccess): string => organizations.get(inbox.account.accountId) ?? '';
    const api = async (conversation: ConversationAccess, by: ProviderAgent | null, below: string, body?: unknown) => {
      const answer = await call({
        method: body === undefined ? 'GET' : 'POST',
        path: `/api/conversations/${conversation.conversationId}${below}`,
        organizationId: organizationOf(conversation),
        body,
        ...(by && { agent: by.externalId }),
      });
      if (answer.status >= 300)
        throw new Error(`The desk responded with status ${answer.status}: ${JSON.stringify(answer.body)}`);
      return answer.body;
    };
    const count = async (table: string): Promise<number> =>
      (await database.query(`select count(*)::int as n from desk_${table}`)).rows[0].n;

    return {
      get provider() {
        return provider;
      },
      async restart() {
        provider = desk.create(world.host);
      },
      stop: () => world.stop(),

      async newAccount() {
        const fresh = newOrganization();
        organizations.set(fresh.access.accountId, fresh.organizationId);
        return fresh;
      },
      async addTeam({ externalId }, name) {
        await database.query('insert into desk_team (account_id, name) values ($1, $2)', [externalId, name]);
      },

      async agentReplies(conversation, by, text, files = []) {
        const attachments = files.map(({ name, contentType, content }) => ({
          name,
          contentType,
          content: content.toString('base64'),
        }));
        await api(conversation, by, '/messages', { text, visibility: 'PUBLIC', attachments });
      },
      async agentNotes(conversation, by, text) {
        await api(conversation, by, '/messages', { text, visibility: 'INTERNAL' });
      },
      async agentAssignsSelf(conversation, by) {
        await api(conversation, by, '/assign', { agentId: by.externalId });
      },
      async resolves(conversation, by) {
        await api(conversation, by, '/resolve', {});
      },
      async snoozes(conversation, by) {
        await api(conversation, by, '/snooze', {});
      },
      async returnsToBot(conversation, by) {
        await api(conversation, by, '/return', {});
      },
      async deletesConversation({ conversationId }) {
        await database.query('delete from desk_conversation where id = $1', [conversationId]);
      },

      // Bypasses the row locks of the desk's writers, so that only the foreign key can make other writers wait for this
      // row.
      async holdsReply({ conversationId: id }, by, text) {
        const client = await database.pool.connect();
        await client.query('begin');
        await insertMessage(
          (statement, values) => client.query(statement, values as unknown[]),
          { id },
          {
            our_id: null,
            author: 'AGENT',
            visibility: 'PUBLIC',
            agent_id: by.externalId,
            author_name: null,
            text,
            attachments: [],
            at: new Date().toISOString(),
          },
        );
        return {
          async commit() {
            await client.query('commit');
            client.release();
          },
        };
      },

      async contactSeen({ contactId }) {
        return (
          await database.query('select name, email, phone, attributes from desk_contact where id = $1', [contactId])
        ).rows[0];
      },
      async renamesContact({ contactId }, name) {
        await database.query('update desk_contact set name = $2 where id = $1', [contactId, name]);
      },

      async agentSees(conversation) {
        const { messages } = await api(conversation, null, '');
        return messages
          .filter((one: any) => one.kind === 'SPEECH')
          .map(({ author, text, visibility, attachments }: any) => ({
            author,
            text,
            visibility,
            files: attachments.map((file: any) => file.name),
          }));
      },
      async conversationState({ conversationId }) {
        const {
          rows: [row],
        } = await database.query('select status, agent_id, team_id, priority from desk_conversation where id = $1', [
          conversationId,
        ]);
        return { status: row.status, agentId: row.agent_id, teamId: row.team_id, priority: row.priority };
      },
      async membersOf(of) {
        if (!('team' in of)) throw new Error('Inboxes of the desk have no members; ask for a team.');
        return (await database.query('select agent_id from desk_team_member where team_id = $1', [of.team])).rows
          .map(row => row.agent_id as string)
          .sort();
      },
      async tampers(how) {
        if ('demotesBotAgent' in how)
          await database.query(`update desk_agent set role = 'AGENT' where kind = 'BOT' and account_id = $1`, [
            how.demotesBotAgent.externalId,
          ]);
        else
          await database.query(`update desk_inbox set name = 'Renamed by hand' where id = $1`, [
            how.renamesInbox.externalId,
          ]);
      },
      async inboxName({ externalId }) {
        return (await database.query('select name from desk_inbox where id = $1', [externalId])).rows[0].name;
      },
      async census() {
        const tables = ['account', 'agent', 'team', 'team_member', 'inbox', 'contact', 'conversation', 'message'];
        return Object.fromEntries(await Promise.all(tables.map(async table => [table, await count(table)])));
      },

      async failNext(fault) {
        const once = (error: Error) => () => {
          world.between = {};
          throw error;
        };
        if (fault === 'unavailable')
          world.between = { before: once(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })) };
        if (fault === 'appliedThenCut')
          world.between = {
            after: once(Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' })),
          };
        if (fault === 'auth') await database.query(`update desk_agent set role = 'AGENT' where kind = 'BOT'`);
      },
      async heal() {
        world.between = {};
        await database.query(
          `update desk_agent set role = 'ADMINISTRATOR' where kind = 'BOT' and role <> 'ADMINISTRATOR'`,
        );
      },
    };
  },
};
