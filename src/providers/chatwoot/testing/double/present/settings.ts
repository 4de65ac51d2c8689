import { iso } from './times';
import type {
  Account,
  AgentBot,
  CannedResponse,
  CustomAttributeDefinition,
  Inbox,
  Json,
  Label,
  Team,
  User,
  Webhook,
} from '../model';
import type { World } from '../world';

const FEATURES = [
  'inbound_emails',
  'channel_email',
  'channel_facebook',
  'channel_twitter',
  'help_center',
  'agent_bots',
  'macros',
  'agent_management',
  'team_management',
  'inbox_management',
  'labels',
  'custom_attributes',
  'automations',
  'canned_responses',
  'integrations',
  'voice_recorder',
  'channel_website',
  'campaigns',
  'reports',
  'crm',
  'auto_resolve_conversations',
  'chatwoot_v4',
  'report_v4',
  'contact_chatwoot_support_team',
  'channel_instagram',
  'channel_tiktok',
];
const features = () => Object.fromEntries(FEATURES.map(name => [name, true]));

/** The sender address of an account without its own. */
const DEFAULT_SUPPORT_EMAIL = 'Chatwoot <accounts@example.test>';

export function platformAccount(account: Account): Json {
  return {
    id: account.id,
    name: account.name,
    locale: account.locale,
    domain: account.domain,
    support_email: account.supportEmail ?? DEFAULT_SUPPORT_EMAIL,
    features: features(),
    custom_attributes: account.customAttributes,
    limits: account.limits,
    status: account.status,
  };
}

export function account(row: Account): Json {
  return {
    settings: {},
    created_at: iso(row.createdAt),
    domain: row.domain,
    features: features(),
    id: row.id,
    locale: row.locale,
    name: row.name,
    support_email: row.supportEmail ?? DEFAULT_SUPPORT_EMAIL,
    status: row.status,
    cache_keys: { label: '0000000000', inbox: '0000000000', team: '0000000000' },
    latest_chatwoot_version: null,
    subscribed_features: [],
  };
}

/** Renders an inbox. Only administrators get its secrets. */
export function inbox(world: World, row: Inbox, forAdministrator: boolean): Json {
  return {
    id: row.id,
    avatar_url: '',
    channel_id: row.channelId,
    name: row.name,
    channel_type: 'Channel::Api',
    greeting_enabled: row.greetingEnabled,
    greeting_message: row.greetingMessage,
    working_hours_enabled: row.workingHoursEnabled,
    enable_email_collect: row.enableEmailCollect,
    csat_survey_enabled: row.csatSurveyEnabled,
    csat_config: row.csatConfig,
    enable_auto_assignment: row.enableAutoAssignment,
    auto_assignment_config: row.autoAssignmentConfig,
    out_of_office_message: row.outOfOfficeMessage,
    working_hours: row.workingHours,
    timezone: row.timezone,
    callback_webhook_url: null,
    allow_messages_after_resolved: row.allowMessagesAfterResolved,
    lock_to_single_conversation: row.lockToSingleConversation,
    sender_name_type: row.senderNameType,
    business_name: row.businessName,
    ...Object.fromEntries(['allowed_domains', 'widget_color', 'website_url'].map(key => [key, null])),
    hmac_mandatory: row.hmacMandatory,
    ...Object.fromEntries(
      [
        'welcome_title',
        'welcome_tagline',
        'web_widget_script',
        'website_token',
        'selected_feature_flags',
        'reply_time',
        'messaging_service_sid',
        'phone_number',
      ].map(key => [key, null]),
    ),
    ...(forAdministrator ? { hmac_token: row.hmacToken } : {}),
    ...(forAdministrator && world.features.signedWebhooks ? { secret: row.secret } : {}),
    webhook_url: row.webhookUrl,
    inbox_identifier: row.identifier,
    additional_attributes: row.channelAttributes,
    provider: null,
  };
}

/** Renders the inbox's row without additions, as the response to creating a contact contains it. */
export function rawInbox(row: Inbox): Json {
  return {
    id: row.id,
    channel_id: row.channelId,
    account_id: row.accountId,
    name: row.name,
    created_at: iso(row.createdAt),
    updated_at: iso(row.updatedAt),
    channel_type: 'Channel::Api',
    enable_auto_assignment: row.enableAutoAssignment,
    greeting_enabled: row.greetingEnabled,
    greeting_message: row.greetingMessage,
    email_address: null,
    working_hours_enabled: row.workingHoursEnabled,
    out_of_office_message: row.outOfOfficeMessage,
    timezone: row.timezone,
    enable_email_collect: row.enableEmailCollect,
    csat_survey_enabled: row.csatSurveyEnabled,
    allow_messages_after_resolved: row.allowMessagesAfterResolved,
    auto_assignment_config: row.autoAssignmentConfig,
    lock_to_single_conversation: row.lockToSingleConversation,
    portal_id: null,
    sender_name_type: row.senderNameType,
    business_name: row.businessName,
    csat_config: row.csatConfig,
  };
}

export function team(row: Team, reader: User | undefined): Json {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    allow_auto_assign: row.allowAutoAssign,
    account_id: row.accountId,
    is_member: reader !== undefined && row.memberIds.includes(reader.id),
  };
}

export function rawTeam(row: Team): Json {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    allow_auto_assign: row.allowAutoAssign,
    account_id: row.accountId,
    created_at: iso(row.createdAt),
    updated_at: iso(row.updatedAt),
  };
}

/** Renders an agent bot. Agents get the bot's token, too; only its webhook secret is for administrators. */
export function agentBot(world: World, row: AgentBot, forAdministrator: boolean): Json {
  return {
    ...assignedBot(row),
    bot_config: row.botConfig,
    account_id: row.accountId,
    access_token: row.token,
    ...(forAdministrator && world.features.signedWebhooks ? { secret: row.secret } : {}),
    system_bot: row.accountId === null,
  };
}

/** Renders the bot of an inbox, whose token is the token's whole row. */
export function inboxBot(world: World, row: AgentBot, forAdministrator: boolean): Json {
  const times = { created_at: iso(row.createdAt), updated_at: iso(row.updatedAt) };
  return {
    ...agentBot(world, row, forAdministrator),
    access_token: { id: row.id, owner_type: 'AgentBot', owner_id: row.id, token: row.token, ...times },
  };
}

export function assignedBot(row: AgentBot): Json {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    thumbnail: '',
    outgoing_url: row.outgoingUrl,
    bot_type: 'webhook',
  };
}

/** Renders a bot for the Platform API. Up to 4.12 `outgoing_url` contains the bot's name. */
export function platformBot(world: World, row: AgentBot): Json {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    outgoing_url: world.features.botOutgoingUrlInPlatform ? row.outgoingUrl : row.name,
    account_id: row.accountId,
    access_token: row.token,
  };
}

export function webhook(world: World, row: Webhook): Json {
  return {
    id: row.id,
    ...(world.features.webhookNames ? { name: row.name } : {}),
    url: row.url,
    account_id: row.accountId,
    subscriptions: row.subscriptions,
    ...(world.features.signedWebhooks ? { secret: row.secret } : {}),
  };
}

export function label(row: Label): Json {
  return {
    id: row.id,
    title: row.title,
    description: row.description,
    color: row.color,
    show_on_sidebar: row.showOnSidebar,
  };
}

export function cannedResponse(row: CannedResponse): Json {
  return {
    id: row.id,
    account_id: row.accountId,
    short_code: row.shortCode,
    content: row.content,
    created_at: iso(row.createdAt),
    updated_at: iso(row.updatedAt),
  };
}

export function attributeDefinition(row: CustomAttributeDefinition): Json {
  return {
    id: row.id,
    attribute_display_name: row.displayName,
    attribute_display_type: row.displayType,
    attribute_description: row.description,
    attribute_key: row.key,
    regex_pattern: row.regexPattern,
    regex_cue: row.regexCue,
    attribute_values: row.values,
    attribute_model: row.model,
    default_value: row.defaultValue,
    created_at: iso(row.createdAt),
    updated_at: iso(row.updatedAt),
  };
}
