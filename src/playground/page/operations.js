// All GraphQL documents of the page; any bot runtime would send the same ones.

const CONTROL = 'control epoch';
const USER_ERRORS = 'userErrors { code field message control epoch }';

const MESSAGE = `
fragment MessageFields on SupportMessage {
  id author visibility text authorName createdAt
  attachments { url name contentType sizeBytes }
}`;

const DELIVERY = `
fragment DeliveryFields on SupportRuntimeDelivery {
  id createdAt
  session { id ${CONTROL} }
  notice {
    __typename
    ... on SupportMessageNotice { message { ...MessageFields } }
    ... on HandoffStateNotice { state handoff { id agent { name } } }
    ... on HandoffOutcomeNotice { handoff { id } outcome { state reason failureCode agent { name } resumeTarget summary } }
  }
}${MESSAGE}`;

export const OPERATIONS = {
  OpenSession: `mutation OpenSession($input: OpenSupportSessionInput!) {
  openSupportSession(input: $input) {
    session { id ${CONTROL} closedAt } created
    ${USER_ERRORS}
  }
}`,

  RecordEndUserMessage: `mutation RecordEndUserMessage($input: RecordEndUserMessageInput!) {
  recordEndUserMessage(input: $input) {
    message { id createdAt }
    session { id ${CONTROL} }
    mayReply replayed
    ${USER_ERRORS}
  }
}`,

  SendBotMessage: `mutation SendBotMessage($input: SendBotMessageInput!) {
  sendBotMessage(input: $input) {
    message { id createdAt }
    session { id ${CONTROL} }
    delivered replayed
    ${USER_ERRORS}
  }
}`,

  RequestHandoff: `mutation RequestHandoff($input: RequestHandoffInput!) {
  requestHandoff(input: $input) {
    handoff { id state }
    session { id ${CONTROL} }
    alreadyLive replayed
    ${USER_ERRORS}
  }
}`,

  CancelHandoff: `mutation CancelHandoff($input: CancelHandoffInput!) {
  cancelHandoff(input: $input) {
    handoff { id state }
    session { id ${CONTROL} }
    alreadyEnded replayed
    ${USER_ERRORS}
  }
}`,

  CloseSession: `mutation CloseSession($input: CloseSupportSessionInput!) {
  closeSupportSession(input: $input) {
    session { id closedAt }
    alreadyClosed
    ${USER_ERRORS}
  }
}`,

  RuntimeInbox: `query RuntimeInbox($sessionId: ID!, $after: String) {
  supportRuntimeInbox(sessionId: $sessionId, first: 50, after: $after) {
    nodes { ...DeliveryFields }
    pageInfo { hasNextPage endCursor }
  }
}${DELIVERY}`,

  AcknowledgeDeliveries: `mutation AcknowledgeDeliveries($input: AcknowledgeRuntimeDeliveriesInput!) {
  acknowledgeRuntimeDeliveries(input: $input) {
    acknowledged unknown
    ${USER_ERRORS}
  }
}`,

  ConversationStatus: `subscription ConversationStatus($sessionId: ID!) {
  conversationStatus(sessionId: $sessionId) {
    control epoch mayReply isClosed
    handoffState handoff { id agent { name } }
  }
}`,

  RuntimeDeliveries: `subscription RuntimeDeliveries($chatbotId: ID!) {
  supportRuntimeDeliveries(chatbotId: $chatbotId) { ...DeliveryFields }
}${DELIVERY}`,
};
