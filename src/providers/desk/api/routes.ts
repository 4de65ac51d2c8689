import type { z } from 'zod';
import { isAboutRequest } from '../../../core/request-errors';
import { isDatabaseBusy } from '../../../database-errors';
import type { ProviderHost, ProviderHttpRequest, ProviderHttpResponse } from '../../../core/ports/provider/definition';
import { AgentAction, findActingAgent } from './agent-action';
import { ChangeFeed } from './change-feed';
import { DeskApiError, parseInput, eventStream, json, jsonBody, notFoundError, refusal } from './http';
import { assignInput, listInput, emptyInput, sentMessage, snoozeInput, threadInput } from './input';
import { pageFile } from './page';
import * as reads from './reads';

type Handler = (call: Call, id: string) => Promise<ProviderHttpResponse>;

/** The first match wins. The path's group is the id. */
const ROUTES: readonly (readonly [method: string, path: RegExp, handler: Handler])[] = [
  ['GET', /^\/api\/me$/, async call => json({ agent: await call.agent() })],
  ['GET', /^\/api\/changes$/, async call => eventStream(call.changes.stream(call.organizationId))],
  ['GET', /^\/api\/agents$/, async call => json({ agents: await reads.listAgents(call.query, call.organizationId) })],
  ['GET', /^\/api\/teams$/, async call => json({ teams: await reads.listTeams(call.query, call.organizationId) })],
  ['GET', /^\/api\/conversations$/, call => call.list()],
  [
    'GET',
    /^\/api\/conversations\/([^/]+)$/,
    async (call, id) =>
      json(
        await reads.readThread(
          call.query,
          call.organizationId,
          call.now,
          id,
          parseInput(threadInput, Object.fromEntries(call.request.query)),
        ),
      ),
  ],
  ['GET', /^\/api\/attachments\/([^/]+)$/, (call, id) => reads.attachmentById(call.query, call.organizationId, id)],
  [
    'POST',
    /^\/api\/conversations\/([^/]+)\/messages$/,
    (call, id) =>
      call.act(
        id,
        sentMessage,
        async (act, { message, files }) => ({ messageId: await act.postMessage(message, files) }),
        201,
      ),
  ],
  [
    'POST',
    /^\/api\/conversations\/([^/]+)\/assign$/,
    (call, id) => call.act(id, assignInput, (act, to) => act.assign(to)),
  ],
  [
    'POST',
    /^\/api\/conversations\/([^/]+)\/snooze$/,
    (call, id) => call.act(id, snoozeInput, (act, how) => act.snooze(how)),
  ],
  ['POST', /^\/api\/conversations\/([^/]+)\/resolve$/, (call, id) => call.act(id, emptyInput, act => act.resolve())],
  ['POST', /^\/api\/conversations\/([^/]+)\/return$/, (call, id) => call.act(id, emptyInput, act => act.returnToBot())],
  ['POST', /^\/api\/conversations\/([^/]+)\/wake$/, (call, id) => call.act(id, emptyInput, act => act.wake())],
  ['POST', /^\/api\/conversations\/([^/]+)\/reopen$/, (call, id) => call.act(id, emptyInput, act => act.reopen())],
];

/** One request of an identified caller. */
class Call {
  readonly now: string;
  readonly query = this.host.database.query.bind(this.host.database);

  constructor(
    private readonly host: ProviderHost,
    readonly request: ProviderHttpRequest,
    readonly organizationId: string,
    readonly changes: ChangeFeed,
  ) {
    this.now = new Date(host.now()).toISOString();
  }

  agent() {
    return findActingAgent(this.query, this.organizationId, this.request.headers['x-desk-agent']);
  }

  async list(): Promise<ProviderHttpResponse> {
    const filter = parseInput(listInput, Object.fromEntries(this.request.query));
    const me = (await this.agent())?.id ?? null;
    if (filter.agent === 'me' && me === null) throw agentRequiredError();
    return json({
      ...(await reads.listConversations(this.query, this.organizationId, this.now, me, filter)),
      counts: await reads.countConversations(this.query, this.organizationId, this.now, me),
    });
  }

  /** Runs one agent's action. After its commit, sends the core a hint; returns the conversation as it is then. */
  async act<Input>(
    conversationId: string,
    schema: z.ZodType<Input>,
    work: (act: AgentAction, input: Input) => Promise<object | void>,
    status = 200,
  ): Promise<ProviderHttpResponse> {
    const agent = await this.agent();
    if (!agent) throw agentRequiredError();
    const input = await jsonBody(schema, this.request);
    const more = await this.host.database.transaction(async query =>
      work(await AgentAction.on(query, agent, conversationId, this.now), input),
    );
    this.host.hint(agent.accountOurId, conversationId);
    this.changes.notify(this.organizationId);
    return json(
      {
        conversation: await reads.readConversation(this.query, this.organizationId, this.now, conversationId),
        ...more,
      },
      status,
    );
  }
}

const agentRequiredError = () =>
  new DeskApiError(
    400,
    'AGENT_REQUIRED',
    'The request names no acting agent; send the header x-desk-agent with an id from /api/agents.',
  );

async function routeRequest(
  host: ProviderHost,
  changes: ChangeFeed,
  request: ProviderHttpRequest,
): Promise<ProviderHttpResponse> {
  const { method, path, caller } = request;
  const read = method === 'GET' || method === 'HEAD' ? 'GET' : method;
  if (!path.startsWith('/api/')) {
    if (read !== 'GET') throw new DeskApiError(405, 'METHOD_NOT_ALLOWED', 'This address is read-only; use GET.');
    // The end-user's channel fetches files without identity; the token is the proof.
    const token = /^\/files\/([\w-]{43})\/[^/]+$/.exec(path)?.[1];
    if (token !== undefined) return reads.attachmentByToken(host.database.query, token);
    return pageFile(path === '/' ? 'index.html' : path.slice(1));
  }
  if (!caller)
    throw new DeskApiError(
      401,
      'UNAUTHENTICATED',
      'The caller is not identified; send the same identity as to the GraphQL API.',
    );
  if (caller.role === 'bot')
    throw new DeskApiError(403, 'FORBIDDEN', 'A bot cannot act as an agent; use the identity of a person.');
  const matching = ROUTES.filter(([, pattern]) => pattern.test(path));
  const [route] = matching.filter(([wanted]) => wanted === read);
  if (!route)
    throw matching.length === 0
      ? notFoundError('address')
      : new DeskApiError(
          405,
          'METHOD_NOT_ALLOWED',
          `This address does not support the method; use ${matching.map(([wanted]) => wanted).join(', ')}.`,
        );
  return route[2](new Call(host, request, caller.organizationId, changes), route[1].exec(path)?.[1] ?? '');
}

export const createRoutes = (host: ProviderHost): ((request: ProviderHttpRequest) => Promise<ProviderHttpResponse>) => {
  const changes = new ChangeFeed(host.database.query.bind(host.database));
  return request => handleRequest(host, changes, request);
};

async function handleRequest(
  host: ProviderHost,
  changes: ChangeFeed,
  request: ProviderHttpRequest,
): Promise<ProviderHttpResponse> {
  try {
    return await routeRequest(host, changes, request);
  } catch (error) {
    if (error instanceof DeskApiError) return refusal(error);
    // The server has a response for each of these errors.
    if (isAboutRequest(error) || isDatabaseBusy(error)) throw error;
    // A file's address is a secret.
    host.log('error', 'the desk could not handle a request; the caller got status 500', {
      path: request.path.replace(/^\/files\/.*/, '/files/…'),
      code: codeOf(error),
    });
    return refusal(
      new DeskApiError(500, 'INTERNAL', 'The desk could not do this because of an internal error; try again.'),
    );
  }
}

/**
 * Returns the driver's or system's own code, e.g. `ECONNREFUSED` or `57P01`. Never a message, which may contain what
 * end-users or agents wrote.
 */
function codeOf(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown };
  return typeof code === 'string' ? code : typeof name === 'string' ? name : 'unknown';
}
