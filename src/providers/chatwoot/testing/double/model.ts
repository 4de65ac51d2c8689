/** The types of the double's rows. Times are milliseconds since 1970. */
export type Json = Record<string, unknown>;

export type Role = 'agent' | 'administrator';
export type Availability = 'online' | 'busy' | 'offline';
export type ConversationStatus = 'open' | 'resolved' | 'pending' | 'snoozed';
export type Priority = 'low' | 'medium' | 'high' | 'urgent';
export type MessageType = 'incoming' | 'outgoing' | 'activity' | 'template';
export type MessageStatus = 'sent' | 'delivered' | 'read' | 'failed';

export const CONVERSATION_STATUSES: readonly ConversationStatus[] = ['open', 'resolved', 'pending', 'snoozed'];
export const PRIORITIES: readonly Priority[] = ['low', 'medium', 'high', 'urgent'];
export const MESSAGE_TYPES: readonly MessageType[] = ['incoming', 'outgoing', 'activity', 'template'];
export const MESSAGE_STATUSES: readonly MessageStatus[] = ['sent', 'delivered', 'read', 'failed'];

export interface PlatformApp {
  id: number;
  name: string;
  token: string;
  accountIds: Set<number>;
  userIds: Set<number>;
  botIds: Set<number>;
}

export interface Account {
  id: number;
  name: string;
  locale: string;
  domain: string | null;
  supportEmail: string | null;
  status: 'active' | 'suspended';
  customAttributes: Json;
  limits: Json;
  createdAt: number;
  /** The highest number given to a conversation; never decreases. */
  lastDisplayId: number;
}

export interface User {
  id: number;
  name: string;
  displayName: string | null;
  email: string;
  password: string | null;
  confirmed: boolean;
  customAttributes: Json;
  token: string;
  pubsubToken: string;
  /** Tokens of login links, with their creation times. */
  ssoTokens: Map<string, number>;
  /** Whether a browser has the live channel open. REST calls never change this. */
  connected: boolean;
}

export interface AccountUser {
  id: number;
  accountId: number;
  userId: number;
  role: Role;
  availability: Availability;
  autoOffline: boolean;
  inviterId: number | null;
  createdAt: number;
  updatedAt: number;
}

export interface WorkingHour {
  day_of_week: number;
  closed_all_day: boolean;
  open_hour: number | null;
  open_minutes: number | null;
  close_hour: number | null;
  close_minutes: number | null;
  open_all_day: boolean;
}

export interface Inbox {
  id: number;
  channelId: number;
  accountId: number;
  name: string;
  createdAt: number;
  updatedAt: number;
  webhookUrl: string | null;
  identifier: string;
  hmacToken: string;
  hmacMandatory: boolean;
  secret: string;
  channelAttributes: Json;
  greetingEnabled: boolean;
  greetingMessage: string | null;
  workingHoursEnabled: boolean;
  outOfOfficeMessage: string | null;
  workingHours: WorkingHour[];
  timezone: string;
  enableEmailCollect: boolean;
  csatSurveyEnabled: boolean;
  csatConfig: Json;
  enableAutoAssignment: boolean;
  autoAssignmentConfig: Json;
  allowMessagesAfterResolved: boolean;
  lockToSingleConversation: boolean;
  senderNameType: string;
  businessName: string | null;
  memberIds: number[];
  agentBotId: number | null;
  /** Members in the order of the round robin. */
  turn: number[];
}

export interface Team {
  id: number;
  accountId: number;
  name: string;
  description: string | null;
  allowAutoAssign: boolean;
  memberIds: number[];
  createdAt: number;
  updatedAt: number;
}

export interface AgentBot {
  id: number;
  accountId: number | null;
  name: string;
  description: string | null;
  outgoingUrl: string | null;
  botConfig: Json;
  token: string;
  secret: string;
  createdAt: number;
  updatedAt: number;
}

export interface Contact {
  id: number;
  accountId: number;
  name: string | null;
  email: string | null;
  phoneNumber: string | null;
  identifier: string | null;
  customAttributes: Json;
  additionalAttributes: Json;
  blocked: boolean;
  lastActivityAt: number | null;
  companyId: number | null;
  createdAt: number;
  updatedAt: number;
}

export interface ContactInbox {
  id: number;
  contactId: number;
  inboxId: number;
  sourceId: string;
  hmacVerified: boolean;
  pubsubToken: string;
  createdAt: number;
  updatedAt: number;
}

export interface Conversation {
  /** The database's own id. Responses show `displayId` instead. */
  rowId: number;
  displayId: number;
  accountId: number;
  uuid: string;
  inboxId: number;
  contactId: number;
  contactInboxId: number;
  status: ConversationStatus;
  assigneeId: number | null;
  assigneeAgentBotId: number | null;
  teamId: number | null;
  priority: Priority | null;
  labels: string[];
  cachedLabelList: string | null;
  snoozedUntil: number | null;
  customAttributes: Json;
  additionalAttributes: Json;
  waitingSince: number | null;
  firstReplyCreatedAt: number | null;
  agentLastSeenAt: number | null;
  assigneeLastSeenAt: number | null;
  contactLastSeenAt: number | null;
  lastActivityAt: number;
  createdAt: number;
  updatedAt: number;
}

export type SenderType = 'User' | 'Contact' | 'AgentBot';

export interface Message {
  id: number;
  accountId: number;
  inboxId: number;
  conversationRowId: number;
  messageType: MessageType;
  contentType: string;
  content: string | null;
  contentAttributes: Json;
  private: boolean;
  status: MessageStatus;
  sourceId: string | null;
  senderType: SenderType | null;
  senderId: number | null;
  attachments: Attachment[];
  createdAt: number;
  updatedAt: number;
}

export interface Blob {
  id: number;
  signedId: string;
  filename: string;
  contentType: string;
  bytes: Buffer;
  /** The size of an image, after a job has analyzed it. */
  size: { width: number; height: number } | null;
}

export interface Attachment {
  id: number;
  messageId: number;
  accountId: number;
  fileType: string;
  blob: Blob;
}

export interface Label {
  id: number;
  accountId: number;
  title: string;
  description: string | null;
  color: string;
  showOnSidebar: boolean | null;
}

export interface Webhook {
  id: number;
  accountId: number;
  name: string | null;
  url: string;
  subscriptions: string[];
  secret: string;
}

export interface CsatResponse {
  id: number;
  accountId: number;
  conversationRowId: number;
  messageId: number;
  contactId: number;
  assignedAgentId: number | null;
  rating: number;
  feedbackMessage: string | null;
  createdAt: number;
  updatedAt: number;
}

export interface CustomAttributeDefinition {
  id: number;
  accountId: number;
  displayName: string;
  displayType: string;
  description: string | null;
  key: string;
  regexPattern: string | null;
  regexCue: string | null;
  values: string[];
  model: string;
  defaultValue: unknown;
  createdAt: number;
  updatedAt: number;
}

export interface RuleCondition {
  attribute_key: string;
  filter_operator: string;
  values: unknown[];
  query_operator: string | null;
}
export interface RuleAction {
  action_name: string;
  action_params: unknown[];
}

export interface AutomationRule {
  id: number;
  accountId: number;
  name: string;
  description: string | null;
  eventName: string;
  conditions: RuleCondition[];
  actions: RuleAction[];
  active: boolean;
  createdAt: number;
}

export interface Macro {
  id: number;
  accountId: number;
  name: string;
  visibility: string;
  actions: RuleAction[];
  createdById: number;
}

export type NotificationType =
  | 'conversation_creation'
  | 'conversation_assignment'
  | 'assigned_conversation_new_message';

export interface Notification {
  id: number;
  accountId: number;
  userId: number;
  type: NotificationType;
  conversationRowId: number;
  messageId: number | null;
  createdAt: number;
}

export interface NotificationSetting {
  id: number;
  accountId: number;
  userId: number;
  email: string[];
  push: string[];
}

export interface CannedResponse {
  id: number;
  accountId: number;
  shortCode: string;
  content: string;
  createdAt: number;
  updatedAt: number;
}
