import type { ChatwootDouble } from './chatwoot-double';
import { ActingAgent, type ConversationRef, type FileToAttach } from './control/acting-agent';
import { serveControl } from './control/control-routes';
import { Faults } from './control/faults';
import { Journal } from './control/journal';
import { setNextIds } from './control/next-ids';
import { runRules } from './domain/automation';
import { syncAvatar } from './domain/contacts';
import { wakeSnoozed } from './domain/conversations';
import { sendSurvey } from './domain/messages';
import { UploadedFile } from './http/parameters';
import { Jobs } from './jobs';
import { featuresOf, resolveOptions, type ChatwootDoubleOptions } from './options';
import { Outage, type OutagePart } from './outage';
import { RateLimits } from './rate-limits';
import { allRoutes } from './routes';
import { DoubleServer } from './server';
import { Store } from './store';
import { newToken } from './tokens';
import { EventFeed } from './webhooks/event-feed';
import type { World } from './world';

export type { ChatwootDouble } from './chatwoot-double';
export { DEV_PLATFORM_TOKEN, type ChatwootDoubleOptions, type ChatwootVersion } from './options';
export { sign as signWebhook, verifies as webhookSignatureVerifies } from './webhooks/signature';
export type { ActingAgent, AgentAction, ConversationRef, FileToAttach } from './control/acting-agent';
export type { Fault, FaultMatch, FaultMode } from './control/faults';
export type { JournalEntry } from './control/journal';
export type { NextIds } from './control/next-ids';
export type { Delivery } from './webhooks/delivery';
export type { DeliveryMatch, ShapingRule } from './webhooks/shaping';
export type { OutagePart } from './outage';

const FIVE_MINUTES = 300_000;

/** Starts a Chatwoot double without data on 127.0.0.1. */
export async function startChatwootDouble(options: ChatwootDoubleOptions = {}): Promise<ChatwootDouble> {
  const resolved = resolveOptions(options);
  const outage = new Outage();
  const journal = new Journal(resolved.clock);
  const { world, events } = createWorld(resolved);
  const server: DoubleServer = new DoubleServer(world, allRoutes, outage, journal, request =>
    serveControl(double, request),
  );
  const port = await server.listen(resolved.port);
  world.baseUrl = `http://127.0.0.1:${port}`;
  addPlatformApp(world, 'Platform App', resolved.platformToken);
  const snoozeTimer = setInterval(() => wakeSnoozed(world), FIVE_MINUTES).unref();
  const { deliveries } = events;

  const double: ChatwootDouble = {
    baseUrl: world.baseUrl,
    port,
    version: resolved.version,
    platformToken: resolved.platformToken,
    addPlatformApp: name => addPlatformApp(world, name, newToken()),
    setOnline: (userId, online = true) => {
      userOf(world, userId).connected = online;
    },
    agent: (userId, conversation) => actingAgent(world, server, userId, conversation),
    deliveries: () => deliveries.list.map(delivery => ({ ...delivery })),
    dropWebhooks: (rule = {}) => deliveries.shaping.drop(rule),
    duplicateWebhooks: (rule = {}) => deliveries.shaping.duplicate(rule),
    reorderWebhooks: size => deliveries.shaping.reorder(size),
    pauseWebhooks: () => deliveries.shaping.pause(),
    resumeWebhooks: () => deliveries.shaping.resume(),
    clearWebhookShaping: () => deliveries.shaping.clear(),
    whenIdle: () => world.jobs.whenIdle(),
    failNext: fault => world.faults.failNext(fault),
    clearFaults: () => world.faults.clear(),
    skewNextMessage: ms => world.faults.skewNextMessage(ms),
    setNextIds: ids => setNextIds(world.store, ids),
    outage: part => takeDown(world, server, outage, part, port),
    requests: () => journal.entries.map(entry => ({ ...entry })),
    clearRequests: () => journal.clear(),
    syncAvatar: contactId => {
      const contact = world.store.contacts.get(contactId);
      if (contact) syncAvatar(world, contact);
    },
    wakeSnoozed: () => wakeSnoozed(world),
    clearNotifications: () => {
      for (const row of world.store.notifications.all()) world.store.notifications.delete(row.id);
    },
    setActivityDelay: ms => {
      world.options.activityDelayMs = ms;
    },
    stop: async () => {
      clearInterval(snoozeTimer);
      world.jobs.stop();
      await server.close();
    },
  };
  return double;
}

function createWorld(options: World['options']): { world: World; events: EventFeed } {
  const parts = {
    options,
    features: featuresOf(options.version),
    store: new Store(),
    jobs: new Jobs(options.webhookThreads),
    limits: new RateLimits(options),
    faults: new Faults(),
    baseUrl: '',
    now: () => options.clock().getTime(),
  };
  const world = parts as typeof parts & { events: EventFeed };
  world.events = new EventFeed(world);
  world.events.onConversation((event, conversation) => {
    if (event === 'conversation_resolved') sendSurvey(world, conversation);
  });
  world.events.onMessage((event, message) => {
    if (event === 'message_created') runRules(world, message);
  });
  return { world, events: world.events };
}

function addPlatformApp(world: World, name: string, token: string): string {
  const id = world.store.platformApps.nextId();
  world.store.platformApps.insert(id, {
    id,
    name,
    token,
    accountIds: new Set(),
    userIds: new Set(),
    botIds: new Set(),
  });
  return token;
}

function userOf(world: World, userId: number) {
  const user = world.store.users.get(userId);
  if (!user) throw new Error(`the double has no user ${userId}`);
  return user;
}

/** Builds an acting agent. Its files are passed on directly, because a multipart body would only be parsed again. */
function actingAgent(world: World, server: DoubleServer, userId: number, conversation: ConversationRef): ActingAgent {
  return new ActingAgent(userOf(world, userId), conversation, (method, path, token, body) => {
    const files = (body as { attachments?: FileToAttach[] }).attachments;
    const attachments = files?.map(
      one => new UploadedFile(one.filename, one.contentType ?? '', Buffer.from(one.bytes)),
    );
    return server.answer({
      method,
      path,
      search: new URLSearchParams(),
      headers: { api_access_token: token, 'content-type': 'application/json' },
      address: '127.0.0.1',
      body: Buffer.alloc(0),
      params: attachments ? { ...(body as object), attachments } : (body as Record<string, unknown>),
    });
  });
}

async function takeDown(
  world: World,
  server: DoubleServer,
  outage: Outage,
  part: OutagePart | null,
  port: number,
): Promise<void> {
  const before = outage.down;
  outage.down = part ?? undefined;
  world.jobs.refuse(part === 'redis');
  if (part === 'sidekiq') world.jobs.pause();
  else world.jobs.resume();
  if (part === 'web') await server.close();
  else if (before === 'web') await server.listen(port);
}
