import type { ProviderDefinition, ProviderHost, SupportProvider } from '../../core/ports/support-provider';
import { capabilitiesOf, ensureAccount } from './account-setup';
import { throwIfOver } from './client';
import { connector, type ChatwootHost } from './connection';
import { ensureContact, updateContact } from './contact';
import { Conversations } from './conversation';
import { listAgents, listTeams } from './directory';
import { driftVerbs } from './drift';
import { ensureInbox } from './inbox-setup';
import { loginVerbs, peopleVerbs } from './people';
import { changedConversations } from './changed';
import { openFile } from './file-download';
import { deleteMessage, readMessages, reportDelivery } from './marks';
import { paced } from './pace';
import { Posts } from './post';
import { readForward } from './read-forward';
import { answerSurvey } from './survey';
import { checkSettings, credentialsKept, requestMsOf } from './settings';
import { markRead, showTyping } from './as-end-user';
import { parseWebhook } from './webhook';

export const chatwoot: ProviderDefinition = {
  name: 'chatwoot',
  title: 'Chatwoot 3.16 or later, hosted by you (Platform App) or by others (administrator\'s token).',
  parseSettings: checkSettings,
  callsBaseUrl: true,
  credentialsKept,
  create,
};

function create(lent: ProviderHost): SupportProvider {
  const host: ChatwootHost = { ...lent, fetchFor: paced(lent.fetch, lent.now, lent.replicas) };
  const connect = connector(host);
  const conversations = new Conversations(connect);
  const posts = new Posts(connect, lent.now);
  return {
    async capabilities(access, signal) {
      throwIfOver(signal);
      return capabilitiesOf(access);
    },
    ensureAccount: (request, signal) => ensureAccount(host, request, signal),
    ensureInbox: (request, signal) => ensureInbox(connect, request, signal),
    listTeams: (access, signal) => listTeams(connect, access, signal),
    listAgents: (access, signal) => listAgents(connect, access, signal),

    ensureContact: (inbox, sessionId, endUser, signal, onDropped) => ensureContact(connect, inbox, sessionId, endUser, signal, onDropped),
    updateContact: (request, signal) => updateContact(connect, request, signal),
    openConversation: (request, signal) => conversations.open(request, signal),
    postMessage: (request, signal) => posts.message(request, signal),
    postNote: (request, signal) => posts.note(request, signal),
    holdForBot: (conversation, signal, reportNewest) => conversations.hold(conversation, signal, reportNewest),
    openForAgents: (request, signal) => conversations.openForAgents(request, signal),
    resolve: (conversation, signal, reportNewest) => conversations.resolve(conversation, signal, reportNewest),

    parseWebhook,
    readConversation: (conversation, signal) => conversations.view(conversation, signal),
    readForward: (request, signal) => readForward(connect, request, signal),
    readMessages: (conversation, ids, signal) => readMessages(connect, conversation, ids, signal),
    settlesAfterMs: requestMsOf,
    postingRoom: (conversation) => posts.room(conversation),
    postTranscript: (request, signal) => posts.transcript(request, signal),
    deleteMessage: (request, signal) => deleteMessage(connect, request, signal),
    reportDelivery: (request, signal) => reportDelivery(connect, request, signal),
    markRead: (conversation, signal) => markRead(connect, conversation, signal),
    showTyping: (request, signal) => showTyping(connect, request, signal),
    openFile: (_access, attachment, signal) => openFile(lent.fetch, attachment, signal),
    answerSurvey: (request, signal) => answerSurvey(connect, request, signal),
    changedConversations: (request, signal) => changedConversations(connect, request, signal),

    people: peopleVerbs(host, connect),
    login: loginVerbs(host, connect),
    drift: driftVerbs(host, connect),
  };
}
