import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { scope } from '../../../src/testing/flow-world';
import { until } from '../../support/until';
import { createPushWorld, agentMessage, type PushWorld } from '../../support/push-world';
import { killWithParent } from '../../../scripts/kill-with-parent';

const ROOT = path.join(__dirname, '../../..');
const section = readFileSync(path.join(ROOT, 'docs/runtime.md'), 'utf8')
  .split('\n## Pushed to you\n')[1]!
  .split('\n## ')[0]!;
const blocks = (language: string) =>
  [...section.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))].map(([, text]) => text!);
const columnOf = (header: string) =>
  section
    .split(`\n| ${header} |`)[1]!
    .split('\n\n')[0]!
    .split('\n')
    .slice(2)
    .map(line => line.split(' | ')[0]!);
const named = (cells: readonly string[]) =>
  cells.flatMap(cell => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!));

let world: PushWorld;
beforeEach(async () => {
  world = await createPushWorld();
});
afterEach(() => world.close());

/** A session with every kind of event that a runtime can be notified of. */
async function runWholeConversation(): Promise<void> {
  const session = await world.open('chat-17');
  await world.user(session.id, 'my bill, please');
  const { handoff } = await world.ask(session.id, {
    reason: 'The end-user asked for a person',
    summary: 'Asked about a bill.',
    intent: 'billing',
    fields: { order: 'A-17' },
    priority: 'HIGH',
    resumeTarget: 'after-help',
  });
  await world.deliverAll();
  world.provider.set({ agent: 'alice' });
  await world.read(session.id);
  await world.push();
  const transact = world.stores.sessions.transact.bind(world.stores.sessions);
  const { result: message } = await transact(scope.organizationId, session.id, async tx => {
    const file = {
      url: 'https://elsewhere.example.com/1',
      name: 'bill.pdf',
      contentType: 'application/pdf',
      sizeBytes: 12_345,
    };
    const one = await tx.insertMessage({
      ...agentMessage('Here is your bill.'),
      handoffId: handoff.id,
      attachments: [file],
    });
    await tx.enqueueForRuntime({ kind: 'MESSAGE', messageId: one.id });
    return one;
  });
  await world.push();
  world.provider.set({ status: 'RESOLVED' });
  await world.read(session.id);
  await world.push();
  await transact(scope.organizationId, session.id, async tx => {
    await tx.updateMessage(message.id, { deletedAt: '2026-11-22T12:00:00.000Z' });
    await tx.enqueueForRuntime({ kind: 'MESSAGE_DELETED', messageId: message.id });
    await tx.updateHandoff(handoff.id, {
      survey: {
        externalId: 's-1',
        url: 'https://support.example.com/s-1',
        question: 'How was it?',
        choices: [{ rating: 1, label: 'bad' }],
        offeredAt: '2026-11-22T12:00:00.000Z',
        answer: null,
      },
    });
    await tx.enqueueForRuntime({
      kind: 'MESSAGE_UNDELIVERED',
      messageId: message.id,
      code: 'PROVIDER_REFUSED',
      outcome: 'NOT_DELIVERED',
    });
    await tx.enqueueForRuntime({ kind: 'MESSAGE_DELIVERED', messageId: message.id });
    await tx.enqueueForRuntime({ kind: 'SURVEY', handoffId: handoff.id });
    await tx.enqueueForRuntime({ kind: 'FILE_NOT_DELIVERED', messageId: message.id, index: 0, code: 'FILE_TOO_LARGE' });
  });
  await world.push();
}

/** Removes what differs from one session to the next. */
const normal = (body: unknown): unknown =>
  JSON.parse(
    JSON.stringify(body, (key, value: unknown) =>
      key === 'deliveryId'
        ? 'number'
        : key === 'url'
          ? 'url'
          : typeof value === 'string' && /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(value)
            ? 'uuid'
            : value,
    ),
  );

function pathsOf(value: unknown, at = ''): string[] {
  if (at === 'data.handoff.fields') return [at];
  if (Array.isArray(value)) return [at, ...value.flatMap(one => pathsOf(one, `${at}[]`))];
  if (value === null || typeof value !== 'object') return [at];
  return [at, ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, at === '' ? key : `${at}.${key}`))];
}

describe('docs/runtime.md on pushes', () => {
  it('shows bodies as they are sent', async () => {
    await world.endpoint();
    await runWholeConversation();
    const examples = blocks('json').map(text => JSON.parse(text) as { type: string });
    expect(examples.map(({ type }) => type)).toEqual(['message.created', 'handoff.ended']);
    for (const example of examples) {
      const [sent] = world.receiver.received.filter(
        ({ body }) => body.type === example.type && body.data.message?.author !== 'SYSTEM',
      );
      expect(normal(sent!.body)).toEqual(normal(example));
    }
  });

  it('has exactly one row for every type and every field', async () => {
    await world.endpoint();
    await runWholeConversation();
    const sent = world.receiver.received.map(({ body }) => body);
    expect([...new Set(sent.map(({ type }) => type))].sort()).toEqual(named(columnOf('`type`')).sort());
    const objects = [
      '',
      'data',
      'data.session',
      'data.message',
      'data.handoff',
      'data.outcome',
      'data.file',
      'data.failure',
    ];
    const paths = new Set(
      sent.flatMap(body => pathsOf(body)).filter(one => !objects.includes(one) && !one.endsWith('[]')),
    );
    expect([...paths].sort()).toEqual(named(columnOf('field')).sort());
  });

  it('shows a receiver that works', async () => {
    let said = '';
    const start = async () => {
      const port = await freePort();
      const { endpoint, secret } = await world.flows.registerEndpoint(scope, {
        url: `http://127.0.0.1:${port}/`,
        chatbotId: null,
      });
      const receiver = spawn(process.execPath, ['--input-type=module', '-e', blocks('js')[0]!], {
        cwd: ROOT,
        env: { PATH: process.env.PATH, WEBHOOK_SECRET: secret, PORT: String(port) },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      killWithParent(receiver);
      let problem = '';
      receiver.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
      receiver.stderr.on('data', (chunk: Buffer) => {
        problem += chunk.toString();
      });
      await until(() => said.includes('listening') || receiver.exitCode !== null);
      if (receiver.exitCode !== null && !problem.includes('EADDRINUSE'))
        throw new Error(`The receiver ended:\n${problem}`);
      return { endpoint, receiver };
    };
    let { endpoint, receiver } = await start();
    // Another process may have taken the port after it was found free.
    while (receiver.exitCode !== null) ({ endpoint, receiver } = await start());
    const says = (text: string): Promise<void> => until(() => said.includes(text));
    try {
      await world.flows.enableEndpoint(scope, endpoint.id);
      const { id } = await world.open('chat-17');
      await world.agentSays(id, 'hello', 'again');
      await world.push();
      await says('chat-17 message.created again\n');
      expect(said).toBe('listening\nchat-17 message.created hello\nchat-17 message.created again\n');
      expect(await world.inbox(id)).toEqual([]);
      expect((await fetch(endpoint.url, { method: 'POST', body: '{}' })).status).toBe(401);
    } finally {
      receiver.kill();
      await new Promise(resolve => {
        receiver.once('exit', resolve);
      });
    }
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}
