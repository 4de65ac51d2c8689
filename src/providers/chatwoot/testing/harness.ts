import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ConversationAccess } from '../../../core/ports/provider/access';
import type { ProviderAgent } from '../../../core/ports/provider/setup-verbs';
import type { ProviderHost } from '../../../core/ports/provider/definition';
import type { ProviderStatus } from '../../../core/conversation-view';
import type { ProviderFault, ProviderHarness, ProviderHarnessFactory, ShownMessage } from '../../testing/harness';
import { capabilitiesOf } from '../account-setup';
import { chatwoot } from '../index';
import { escapeLiquid } from '../liquid';
import { startChatwootDouble, type ChatwootVersion, type FaultMode } from './double';
import { ChatwootApi } from './remote';

const STATUSES: Record<string, ProviderStatus> = {
  pending: 'BOT_HELD',
  open: 'OPEN',
  snoozed: 'ON_HOLD',
  resolved: 'RESOLVED',
};
const FAULTS: Record<ProviderFault, FaultMode> = {
  unavailable: 'status:503',
  appliedThenCut: 'applyThenCut',
  auth: 'status:401',
};

/** Returns a provider host without a database. */
export const hostWith = (fetch: ProviderHost['fetch']): ProviderHost => ({
  hint: () => undefined,
  database: {
    query: () => Promise.reject(new Error('not used')),
    transaction: () => Promise.reject(new Error('not used')),
  },
  fetch,
  replicas: () => 1,
  now: Date.now,
  log: () => undefined,
});

/** Gives the contract suite access to the double of one Chatwoot release. */
export const harnessOver = (version: ChatwootVersion): ProviderHarnessFactory => ({
  definition: chatwoot,
  capabilities: capabilitiesOf({ credentials: { platformToken: 'given' } }),
  faults: ['unavailable', 'appliedThenCut', 'auth'],
  skills: ['holdsReply', 'webhookFor', 'deletesMessages', 'agentBegins', 'updatesContacts'],
  start: () => start(version),
});

export const harness = harnessOver('4.10');

async function start(version: ChatwootVersion): Promise<ProviderHarness> {
  // Activity lines are written at once and messages are not limited: the suite compares syncs, and posts hundreds of
  // messages a minute.
  const double = await startChatwootDouble({ version, activityDelayMs: 0, messagesPerMinute: 100_000 });
  const remote = new ChatwootApi(double.baseUrl, double.platformToken);
  const outside = createServer((request, response) => request.resume().on('end', () => response.end()));
  await new Promise<void>(resolve => outside.listen(0, '127.0.0.1', resolve));
  const outsideUrl = `http://127.0.0.1:${(outside.address() as AddressInfo).port}`;
  const create = () => chatwoot.create(hostWith(remote.fetch));
  let provider = create();

  const adminOf = async ({ inbox }: ConversationAccess) =>
    (await remote.administratorOf(inbox.account.externalId ?? '')) ?? '';
  const pathOf = ({ inbox, conversationId }: ConversationAccess) =>
    `/api/v1/accounts/${inbox.account.externalId}/conversations/${conversationId}`;
  const contactPathOf = ({ inbox, contactId }: ConversationAccess) =>
    `/api/v1/accounts/${inbox.account.externalId}/contacts/${contactId}`;
  const acting = ({ inbox, conversationId }: ConversationAccess, by: ProviderAgent) =>
    double.agent(Number(by.externalId), {
      accountId: Number(inbox.account.externalId),
      conversationId: Number(conversationId),
    });
  const done = async (act: Promise<unknown>) => {
    await act;
    await double.whenIdle();
  };

  return {
    get provider() {
      return provider;
    },
    async restart() {
      provider = create();
    },
    async stop() {
      await double.stop();
      outside.closeAllConnections();
      await new Promise(resolve => outside.close(resolve));
    },

    async newAccount() {
      const accountId = randomUUID();
      const short = accountId.slice(0, 8);
      return {
        organizationId: `org-${short}`,
        name: `Organization ${short}`,
        owners: ['Ada', 'Bob'].map(name => ({
          name: `${name} ${short}`,
          email: `${name.toLowerCase()}-${short}@owners.example`,
        })),
        access: {
          accountId,
          externalId: null,
          baseUrl: double.baseUrl,
          settings: {},
          credentials: { platformToken: double.platformToken },
          webhookUrl: `${outsideUrl}/webhooks/${accountId}/secret`,
        },
      };
    },
    async addTeam(account, name) {
      const token = await remote.administratorOf(account.externalId ?? '');
      await remote.call('POST', `/api/v1/accounts/${account.externalId}/teams`, token ?? '', { team: { name } });
    },

    async agentReplies(conversation, by, text, files = []) {
      const attachments = files.map(({ name, contentType, content }) => ({
        filename: name,
        contentType,
        bytes: content,
      }));
      await done(acting(conversation, by).reply(escapeLiquid(text), files.length ? { attachments } : {}));
    },
    agentNotes: (conversation, by, text) => done(acting(conversation, by).note(text)),
    agentAssignsSelf: (conversation, by) => done(acting(conversation, by).assignSelf()),
    resolves: (conversation, by) => done(acting(conversation, by).resolve()),
    snoozes: (conversation, by) => done(acting(conversation, by).snooze()),
    returnsToBot: (conversation, by) => done(acting(conversation, by).returnToPending()),
    async deletesConversation(conversation) {
      // Before 4.3 a conversation could only be deleted with its contact.
      const path =
        version === '3.16'
          ? `/api/v1/accounts/${conversation.inbox.account.externalId}/contacts/${conversation.contactId}`
          : pathOf(conversation);
      await done(remote.call('DELETE', path, await adminOf(conversation)));
    },
    async holdsReply(conversation, by, text) {
      const commit = remote.hide(await acting(conversation, by).reply(text));
      return { commit: async () => commit() };
    },
    async agentBegins(own, by, text) {
      const { inbox, contactId } = own;
      const { access_token: token } = await remote.platform('GET', `/users/${by.externalId}`);
      // As the dashboard does from a contact's page.
      const { id } = await remote.call('POST', `/api/v1/accounts/${inbox.account.externalId}/conversations`, token, {
        inbox_id: Number(inbox.externalId),
        contact_id: Number(contactId),
        status: 'open',
        message: { content: escapeLiquid(text) },
      });
      await double.whenIdle();
      return { ...own, conversationId: String(id) };
    },

    async contactSeen(conversation) {
      const { payload } = await remote.get(contactPathOf(conversation), await adminOf(conversation));
      return {
        name: payload.name,
        email: payload.email,
        phone: payload.phone_number,
        attributes: payload.custom_attributes,
      };
    },
    async renamesContact(conversation, name) {
      await done(remote.call('PUT', contactPathOf(conversation), await adminOf(conversation), { name }));
    },
    async agentSees(conversation) {
      const token = await adminOf(conversation);
      const rows = new Map<number, any>();
      for (let before = '', page: any[]; ; before = `?before=${Math.min(...rows.keys())}`) {
        page = (await remote.get(`${pathOf(conversation)}/messages${before}`, token)).payload;
        for (const row of page) rows.set(row.id, row);
        if (page.length < 20) break;
      }
      return [...rows.values()]
        .sort((one, other) => one.id - other.id)
        .filter(row => row.message_type !== 2)
        .map(shown);
    },
    async conversationState(conversation) {
      const { status, priority, meta } = await remote.get(pathOf(conversation), await adminOf(conversation));
      return {
        status: STATUSES[status] ?? 'OPEN',
        agentId: meta.assignee ? String(meta.assignee.id) : null,
        teamId: meta.team ? String(meta.team.id) : null,
        priority: priority?.toUpperCase() ?? null,
      };
    },
    async inboxName({ account, externalId }) {
      return (
        await remote.get(
          `/api/v1/accounts/${account.externalId}/inboxes/${externalId}`,
          (await remote.administratorOf(account.externalId ?? '')) ?? '',
        )
      ).name;
    },
    async membersOf(of) {
      const externalId = ('team' in of ? of.account : of.inbox.account).externalId ?? '';
      const token = (await remote.administratorOf(externalId)) ?? '';
      const account = `/api/v1/accounts/${externalId}`;
      const rows: { id: number }[] =
        'team' in of
          ? await remote.get(`${account}/teams/${of.team}/team_members`, token)
          : (await remote.get(`${account}/inbox_members/${of.inbox.externalId}`, token)).payload;
      return rows.map(({ id }) => String(id)).sort();
    },
    async tampers(how) {
      if ('demotesBotAgent' in how) {
        const { externalId, settings } = how.demotesBotAgent;
        await remote.platform('POST', `/accounts/${externalId}/account_users`, {
          user_id: settings['botUserId'],
          role: 'agent',
        });
        return;
      }
      const { account, externalId } = how.renamesInbox;
      const token = (await remote.administratorOf(account.externalId ?? '')) ?? '';
      await remote.call('PATCH', `/api/v1/accounts/${account.externalId}/inboxes/${externalId}`, token, {
        name: 'Renamed by hand',
      });
    },
    census: () => remote.census(),
    async webhookFor(conversation) {
      await double.whenIdle();
      const { inbox, conversationId } = conversation;
      const sent = double
        .deliveries()
        .reverse()
        .find(
          ({ event, url, body }) =>
            event === 'message_created' &&
            url === inbox.account.webhookUrl &&
            String(JSON.parse(body).conversation.id) === conversationId,
        );
      if (!sent) throw new Error('The double sent no webhook about this conversation; cause one first.');
      return {
        account: inbox.account,
        headers: sent.headers,
        rawBody: Buffer.from(sent.body),
        receivedAt: Date.now(),
        inboxes: [inbox],
      };
    },

    failNext: async fault => double.failNext({ mode: FAULTS[fault], match: { path: /^\/(api\/v1|platform)\// } }),
    heal: async () => double.clearFaults(),
  };
}

function shown(row: any): ShownMessage {
  const author =
    row.message_type === 0
      ? 'END_USER'
      : row.sender?.type === 'agent_bot'
        ? 'BOT'
        : row.sender?.type === 'user'
          ? 'AGENT'
          : 'SYSTEM';
  return {
    author,
    text: row.content ?? '',
    visibility: row.private ? 'INTERNAL' : 'PUBLIC',
    files: (row.attachments ?? []).map(({ data_url }: { data_url: string }) =>
      decodeURIComponent(data_url.split('/').at(-1) ?? ''),
    ),
  };
}
