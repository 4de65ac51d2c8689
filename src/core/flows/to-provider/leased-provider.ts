import type { SupportProvider } from '../../ports/provider/support-provider';
import type { FlowLimits } from '../deps';
import type { Lease } from '../lease';

type LeasedVerb =
  | 'ensureContact'
  | 'openConversation'
  | 'postMessage'
  | 'postNote'
  | 'returnToBot'
  | 'openForAgents'
  | 'resolve'
  | 'readConversation'
  | 'listMessages'
  | 'updateContact'
  | 'postTranscript'
  | 'deleteMessage'
  | 'reportDelivery'
  | 'markRead'
  | 'answerSurvey';

type WithoutSignal<Given extends readonly unknown[]> = Given extends [AbortSignal, ...infer Rest]
  ? Rest
  : Given extends [infer First, ...infer Rest]
    ? [First, ...WithoutSignal<Rest>]
    : Given;
type Leased<Verb> = Verb extends (...given: infer Given) => infer Result
  ? (...given: WithoutSignal<Given>) => Result
  : never;

type LeasedVerbs = Pick<SupportProvider, LeasedVerb>;

/** The verbs that deliveries call, as `SupportProvider` declares them, without the signal. */
export type LeasedProvider = { readonly [Verb in keyof LeasedVerbs]: Leased<LeasedVerbs[Verb]> };

/**
 * Returns the provider for work on one claimed delivery. Each verb first makes sure that the lease is held, and its
 * call ends at its time limit or with the lease, whichever is first. So no remote call of a delivery begins, or goes
 * on,
 * while another worker may have the lane.
 */
export function leaseProvider(
  provider: SupportProvider,
  lease: Lease,
  { callMs, uploadMs }: Pick<FlowLimits, 'callMs' | 'uploadMs'>,
): LeasedProvider {
  const run = async <Result>(call: (signal: AbortSignal) => Promise<Result>, ms = callMs): Promise<Result> => {
    await lease.ensureHeld();
    return call(lease.signal(ms));
  };
  const { updateContact, postTranscript, deleteMessage, reportDelivery, markRead, answerSurvey } = provider;
  return {
    ensureContact: (inbox, sessionId, endUser, onDropped) =>
      run(signal => provider.ensureContact(inbox, sessionId, endUser, signal, onDropped)),
    openConversation: request => run(signal => provider.openConversation(request, signal)),
    postMessage: request =>
      run(signal => provider.postMessage(request, signal), request.message.attachments.length > 0 ? uploadMs : callMs),
    postNote: request => run(signal => provider.postNote(request, signal)),
    returnToBot: (conversation, reportNewest) =>
      run(signal => provider.returnToBot(conversation, signal, reportNewest)),
    openForAgents: request => run(signal => provider.openForAgents(request, signal)),
    resolve: (conversation, reportNewest) => run(signal => provider.resolve(conversation, signal, reportNewest)),
    readConversation: conversation => run(signal => provider.readConversation(conversation, signal)),
    listMessages: request => run(signal => provider.listMessages(request, signal)),
    ...(updateContact && { updateContact: request => run(signal => updateContact.call(provider, request, signal)) }),
    ...(postTranscript && {
      postTranscript: request => run(signal => postTranscript.call(provider, request, signal), uploadMs),
    }),
    ...(deleteMessage && { deleteMessage: request => run(signal => deleteMessage.call(provider, request, signal)) }),
    ...(reportDelivery && { reportDelivery: request => run(signal => reportDelivery.call(provider, request, signal)) }),
    ...(markRead && { markRead: conversation => run(signal => markRead.call(provider, conversation, signal)) }),
    ...(answerSurvey && { answerSurvey: request => run(signal => answerSurvey.call(provider, request, signal)) }),
  };
}
