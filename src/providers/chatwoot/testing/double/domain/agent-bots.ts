import { asObject, asText, has } from '../http/call';
import { refuse } from '../http/replies';
import { newToken } from '../tokens';
import type { AgentBot, Json } from '../model';
import type { World } from '../world';

/** Creates an agent bot. One without `outgoing_url` is accepted: it has a name and a token, and gets no webhooks. */
export function createAgentBot(world: World, accountId: number | null, params: Json): AgentBot {
  const now = world.now();
  const bot: AgentBot = {
    id: 0,
    accountId,
    name: '',
    description: null,
    outgoingUrl: null,
    botConfig: {},
    token: newToken(),
    secret: newToken(),
    createdAt: now,
    updatedAt: now,
  };
  changeAgentBot(world, bot, params);
  bot.id = world.store.agentBots.nextId();
  return world.store.agentBots.insert(bot.id, bot);
}

export function changeAgentBot(world: World, bot: AgentBot, params: Json): void {
  const name = has(params, 'name') ? asText(params['name']) : bot.name;
  const url = has(params, 'outgoing_url') ? asText(params['outgoing_url']) : bot.outgoingUrl;
  if (!name) throw refuse.invalid("Name can't be blank", ['name']);
  if (url && url.length > 2048)
    throw refuse.invalid('Outgoing url is too long (maximum is 2048 characters)', ['outgoing_url']);
  bot.name = name;
  bot.outgoingUrl = url;
  if (has(params, 'description')) bot.description = asText(params['description']);
  if (has(params, 'bot_config')) bot.botConfig = asObject(params['bot_config']);
  bot.updatedAt = world.now();
}
