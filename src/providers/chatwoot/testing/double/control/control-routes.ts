import { AGENT_ACTIONS, type AgentAction } from './acting-agent';
import type { Fault } from './faults';
import { parseBody } from '../http/parameters';
import type { RawRequest } from '../http/raw-request';
import { json, Refusal, type Reply } from '../http/replies';
import type { ChatwootDouble } from '../chatwoot-double';
import type { Json } from '../model';
import type { OutagePart } from '../outage';

type Act = (double: ChatwootDouble, body: Json, at: string[]) => unknown;

const done = () => ({ ok: true });

/** The controls for other processes: the same verbs below `/_double`. */
const ROUTES: Array<[method: string, path: RegExp, act: Act]> = [
  [
    'GET',
    /^\/_double$/,
    double => ({
      baseUrl: double.baseUrl,
      version: double.version,
      platformToken: double.platformToken,
      actions: AGENT_ACTIONS,
    }),
  ],
  ['GET', /^\/_double\/requests$/, double => double.requests()],
  [
    'DELETE',
    /^\/_double\/requests$/,
    double => {
      double.clearRequests();
      return done();
    },
  ],
  ['GET', /^\/_double\/deliveries$/, double => double.deliveries()],
  [
    'POST',
    /^\/_double\/idle$/,
    async double => {
      await double.whenIdle();
      return done();
    },
  ],
  [
    'POST',
    /^\/_double\/faults$/,
    (double, body) => {
      double.failNext(faultIn(body));
      return done();
    },
  ],
  [
    'DELETE',
    /^\/_double\/faults$/,
    double => {
      double.clearFaults();
      return done();
    },
  ],
  [
    'POST',
    /^\/_double\/skew_next_message$/,
    (double, body) => {
      double.skewNextMessage(Number(body['ms']));
      return done();
    },
  ],
  [
    'POST',
    /^\/_double\/next_ids$/,
    (double, body) => {
      double.setNextIds(body);
      return done();
    },
  ],
  [
    'POST',
    /^\/_double\/outage$/,
    async (double, body) => {
      await double.outage((body['part'] ?? null) as OutagePart | null);
      return done();
    },
  ],
  [
    'POST',
    /^\/_double\/webhooks\/drop$/,
    (double, body) => {
      double.dropWebhooks(body);
      return done();
    },
  ],
  [
    'POST',
    /^\/_double\/webhooks\/duplicate$/,
    (double, body) => {
      double.duplicateWebhooks(body);
      return done();
    },
  ],
  [
    'POST',
    /^\/_double\/webhooks\/reorder$/,
    (double, body) => {
      double.reorderWebhooks(Number(body['size'] ?? 2));
      return done();
    },
  ],
  [
    'POST',
    /^\/_double\/webhooks\/pause$/,
    double => {
      double.pauseWebhooks();
      return done();
    },
  ],
  [
    'POST',
    /^\/_double\/webhooks\/resume$/,
    double => {
      double.resumeWebhooks();
      return done();
    },
  ],
  [
    'POST',
    /^\/_double\/webhooks\/clear$/,
    double => {
      double.clearWebhookShaping();
      return done();
    },
  ],
  [
    'POST',
    /^\/_double\/platform_apps$/,
    (double, body) => ({ token: double.addPlatformApp(String(body['name'] ?? 'app')) }),
  ],
  [
    'POST',
    /^\/_double\/users\/(\d+)\/online$/,
    (double, body, [id]) => {
      double.setOnline(Number(id), body['online'] !== false);
      return done();
    },
  ],
  ['POST', /^\/_double\/users\/(\d+)\/act$/, act],
  [
    'POST',
    /^\/_double\/contacts\/(\d+)\/sync_avatar$/,
    (double, _body, [id]) => {
      double.syncAvatar(Number(id));
      return done();
    },
  ],
  [
    'POST',
    /^\/_double\/activity_delay$/,
    (double, body) => {
      double.setActivityDelay(Number(body['ms']));
      return done();
    },
  ],
  [
    'POST',
    /^\/_double\/wake_snoozed$/,
    double => {
      double.wakeSnoozed();
      return done();
    },
  ],
];

export async function serveControl(double: ChatwootDouble, request: RawRequest): Promise<Reply | undefined> {
  const path = request.path.replace(/\/$/, '');
  for (const [method, pattern, handle] of ROUTES) {
    const match = method === request.method ? pattern.exec(path) : null;
    if (!match) continue;
    try {
      const body = parseBody(request.headers['content-type'] ?? 'application/json', request.body);
      return json(await handle(double, body, match.slice(1)));
    } catch (error) {
      if (error instanceof Refusal) return error.reply;
      return json({ error: (error as Error).message }, 422);
    }
  }
  return undefined;
}

/** Parses a fault. Over HTTP a path pattern is a string between slashes. */
function faultIn(body: Json): Fault {
  const fault = body as Fault;
  const path = fault.match?.path;
  const pattern = typeof path === 'string' ? /^\/(.+)\/([a-z]*)$/.exec(path) : null;
  const isPattern = pattern !== null && /[\\^$*+?()[\]|]/.test(pattern[1] ?? '');
  return isPattern
    ? { ...fault, match: { ...fault.match, path: new RegExp(pattern[1] as string, pattern[2]) } }
    : fault;
}

/** Runs `{action, account_id, conversation_id, …}` as one agent. */
async function act(double: ChatwootDouble, body: Json, [userId]: string[]): Promise<unknown> {
  const agent = double.agent(Number(userId), {
    accountId: Number(body['account_id']),
    conversationId: Number(body['conversation_id']),
  });
  const content = String(body['content'] ?? '');
  const perform: Record<AgentAction, () => Promise<unknown>> = {
    reply: () => agent.reply(content),
    note: () => agent.note(content),
    attach: () =>
      agent.attach({
        filename: String(body['filename'] ?? 'file.txt'),
        bytes: Buffer.from(String(body['base64'] ?? ''), 'base64'),
        ...(body['content_type'] ? { contentType: String(body['content_type']) } : {}),
        ...(content ? { content } : {}),
      }),
    assignSelf: () => agent.assignSelf(),
    assign: () =>
      agent.assign(
        'team_id' in body
          ? { teamId: body['team_id'] as number | null }
          : { agentId: (body['agent_id'] ?? null) as number | null },
      ),
    resolve: () => agent.resolve(),
    snooze: () => agent.snooze(body['until'] ? new Date(String(body['until'])) : undefined),
    reopen: () => agent.reopen(),
    returnToPending: () => agent.returnToPending(),
    deleteMessage: () => agent.deleteMessage(Number(body['message_id'])),
    type: () => agent.type(body['on'] !== false),
  };
  const action = perform[body['action'] as AgentAction];
  if (!action) throw new Error(`The double does not know this action; use one of ${AGENT_ACTIONS.join(', ')}.`);
  return { result: await action() };
}
