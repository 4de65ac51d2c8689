import type { ProviderDefinition, ProviderHost } from '../../core/ports/provider/definition';
import type { SupportProvider } from '../../core/ports/provider/support-provider';
import { capabilitiesOf, ensureAccount } from './account-setup';
import { throwIfOver } from './client';
import { createConnect, type ChatwootHost } from './connection';
import { ensureContact, updateContact } from './contact';
import { Conversations } from './conversation';
import { listAgents, listTeams } from './directory';
import { createDriftVerbs } from './drift';
import { ensureInbox } from './inbox-setup';
import { ChatwootAgentsAndTeams, createLoginVerbs } from './agents-and-teams';
import { listChangedConversations } from './changed-conversations';
import { openFile } from './file-download';
import { deleteMessage, readMessages, reportDelivery } from './marks';
import { createRateLimitedFetch } from './rate-limits';
import { Posts } from './post';
import { listMessages } from './list-messages';
import { answerSurvey } from './survey';
import { checkSettings, mergeCredentials, requestMsOf } from './settings';
import { markRead, sendTyping } from './call-as-end-user';
import { parseWebhook } from './webhook';

export const chatwoot: ProviderDefinition = {
  name: 'chatwoot',
  title: "Chatwoot 3.16 or later, hosted by you (Platform App) or by others (administrator's token).",
  parseSettings: checkSettings,
  callsBaseUrl: true,
  mergeCredentials,
  create,
};

function create(lent: ProviderHost): SupportProvider {
  const host: ChatwootHost = { ...lent, fetchFor: createRateLimitedFetch(lent.fetch, lent.now, lent.replicas) };
  const connect = createConnect(host);
  const conversations = new Conversations(connect);
  const posts = new Posts(connect, lent.now);
  return {
    async readCapabilities(access, signal) {
      throwIfOver(signal);
      return capabilitiesOf(access);
    },
    ensureAccount: (request, signal) => ensureAccount(host, request, signal),
    ensureInbox: (request, signal) => ensureInbox(connect, request, signal),
    listTeams: (access, signal) => listTeams(connect, access, signal),
    listAgents: (access, signal) => listAgents(connect, access, signal),

    ensureContact: (inbox, sessionId, endUser, signal, onDropped) =>
      ensureContact(connect, inbox, sessionId, endUser, signal, onDropped),
    updateContact: (request, signal) => updateContact(connect, request, signal),
    openConversation: (request, signal) => conversations.open(request, signal),
    postMessage: (request, signal) => posts.postMessage(request, signal),
    postNote: (request, signal) => posts.postNote(request, signal),
    returnToBot: (conversation, signal, reportNewest) => conversations.returnToBot(conversation, signal, reportNewest),
    openForAgents: (request, signal) => conversations.openForAgents(request, signal),
    resolve: (conversation, signal, reportNewest) => conversations.resolve(conversation, signal, reportNewest),

    parseWebhook,
    readConversation: (conversation, signal) => conversations.readSnapshot(conversation, signal),
    listMessages: (request, signal) => listMessages(connect, request, signal),
    readMessages: (conversation, ids, signal) => readMessages(connect, conversation, ids, signal),
    ambiguousForMs: requestMsOf,
    postingCapacity: conversation => posts.capacity(conversation),
    postTranscript: (request, signal) => posts.postTranscript(request, signal),
    deleteMessage: (request, signal) => deleteMessage(connect, request, signal),
    reportDelivery: (request, signal) => reportDelivery(connect, request, signal),
    markRead: (conversation, signal) => markRead(connect, conversation, signal),
    sendTyping: (request, signal) => sendTyping(connect, request, signal),
    openFile: (_access, attachment, signal) => openFile(lent.fetch, attachment, signal),
    answerSurvey: (request, signal) => answerSurvey(connect, request, signal),
    listChangedConversations: (request, signal) => listChangedConversations(connect, request, signal),

    agentsAndTeams: new ChatwootAgentsAndTeams(host, connect),
    login: createLoginVerbs(host, connect),
    drift: createDriftVerbs(host, connect),
  };
}
