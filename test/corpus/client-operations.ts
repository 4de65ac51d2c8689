/**
 * Operations of a platform's own clients at its gateway: a console's lists, a runtime's calls, a UI's subscriptions.
 * Some start at another team's subgraph, so that routers fetch our part as `_entities`.
 */
export const CLIENT_OPERATIONS: Readonly<Record<string, string>> = {
  OrganizationOverview: `query OrganizationOverview($id: ID!) { organization(id: $id) { name plan supportAccounts { id provider name state version credentialNames
    problem { code message } health { state checkedAt problem { code message } } capabilities { teams priorities typing maxTextLength }
    inboxes { id name state policy { whileWaiting mirroring lines { queued ended } } chatbot { name } members { id name role } }
    teams { id name members { id name email } } agents { id name email role user { name } } } } }`,
  ChatbotList: `query ChatbotList($ids: [ID!]!) { chatbots(ids: $ids) { edges { node { id name support { state problem { code message }
    inbox { id name account { id provider state } policy { whileWaiting mirroring onDeadLetter } } teams { id name } policy { automaticReplies } } } } pageInfo { hasNextPage endCursor } } }`,
  Me: 'query Me { me { name supportAgents { id name role account { id name organization { name } } } } }',
  HandoffConsole: `query HandoffConsole($filter: HandoffFilterInput, $after: String) { handoffs(filter: $filter, first: 50, after: $after) { pageInfo { hasNextPage endCursor } edges { cursor node {
    id state origin priority reason summary intent isLive requestedAt queuedAt links { label url } targetTeam { name } targetAgent { name user { name } } agent { name agent { id email user { name } } }
    outcome { reason summary } survey { question choices { label rating } answer { rating comment } }
    session { id channel control endUser { name email attributes } chatbot { name organization { name } } messages(first: 20) { nodes { id author text createdAt attachments { name url } } } } } } } }`,
  SessionTimeline: `query SessionTimeline($id: ID!) { supportSession(id: $id) { id control epoch mayReply chatbot { name } organization { name } liveHandoff { id state }
    messages(first: 100) { pageInfo { hasNextPage endCursor } nodes { id seq author visibility text authorName channelState deletedAt editedAt createdAt replyTo { id text } agent { id name } handoff { id }
      attachments { url name contentType sizeBytes } reactions { by emoji }
      content { __typename caption ... on SupportChoices { style items { title value } } ... on SupportCards { cards { title description pictureUrl actions { title url value } } }
        ... on SupportForm { fields { name label type isRequired options { title value } } } ... on SupportLocation { latitude longitude } } } }
    events(first: 100) { __typename seq at handoff { id state } ... on SupportMessageRecorded { message { id text } } ... on SupportHandoffChanged { from to cause } ... on SupportControlChanged { control epoch } } } }`,
  RuntimeInbox: `query RuntimeInbox($chatbotId: ID!) { supportRuntimeInbox(chatbotId: $chatbotId, first: 100) { pageInfo { hasNextPage endCursor } nodes { id cursor createdAt session { id externalId chatbot { name } }
    notice { __typename ... on SupportMessageNotice { message { id author text attachments { url name } agent { name } } } ... on HandoffStateNotice { state handoff { id } }
      ... on HandoffOutcomeNotice { handoff { id } outcome { reason resumeTarget summary agent { name } } } ... on HandoffSurveyNotice { handoff { survey { question choices { rating label } } } } } } } }`,
  DeadLetters: `query DeadLetters($filter: SupportDeadLetterFilterInput) { supportDeadLetters(filter: $filter, first: 100) { totalCount pageInfo { hasNextPage endCursor }
    nodes { id destination kind code outcome attempts parkedAt isBlockingLane session { id externalId chatbot { name } } handoff { id state } message { author text } } } }`,
  Explain:
    'query Explain($id: ID!) { supportExplain(sessionId: $id) { mayReply reason pendingDeliveries { provider runtime parked lastErrorCode } blockedLanes { destination deadLetterId code } handoff { id state } session { id chatbot { name } } } }',
  RequestHandoff: `mutation RequestHandoff($input: RequestHandoffInput!) { requestHandoff(input: $input) { handoff { id state session { id control epoch chatbot { name organization { name } } } } userErrors { code field message control epoch } } }`,
  RecordMessage:
    'mutation RecordMessage($input: RecordEndUserMessageInput!) { recordEndUserMessage(input: $input) { message { id seq text } mayReply replayed userErrors { code field message retryAfterMs } } }',
  LiveHandoffs: `subscription LiveHandoffs($filter: HandoffFilterInput) { handoffChanges(filter: $filter) { cursor snapshot { isComplete handoffs { id state session { id endUser { name } chatbot { name } messages(first: 10) { nodes { text } } } agent { name } } }
    change { from to cause handoff { id state session { id chatbot { name } } } } } }`,
  Conversation:
    'subscription Conversation($id: ID!) { conversationStatus(sessionId: $id) { seq control epoch mayReply handoffState session { chatbot { name } organization { name } } handoff { id agent { name } } } }',
};

/** How many objects of a type a router may have found elsewhere when it fetches our part of them. */
export const REPRESENTATIONS: Readonly<Record<string, number>> = { Organization: 1, Chatbot: 500, User: 1_000 };
