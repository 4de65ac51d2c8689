import { spawn } from 'node:child_process';
import path from 'node:path';
import { createTestDatabase, type TestDatabase } from '../../src/testing/database';
import { startReplica, type Replica } from '../support/replica';
import { killWithParent } from '../../scripts/kill-with-parent';

const ROOT = path.join(__dirname, '..', '..');
let database: TestDatabase;
let service: Replica;

beforeAll(async () => {
  database = await createTestDatabase();
  service = await startReplica({
    databaseUrl: database.url,
    env: { SUPPORT_SECRET_KEY: 'a'.repeat(64), SUPPORT_EXAMPLE: 'on' },
  });
});

afterAll(async () => {
  await service?.stop();
  await database?.drop();
});

/** The example's output, without the times. */
async function example(...flags: readonly string[]): Promise<{ code: number | null; lines: readonly string[] }> {
  const child = spawn(
    process.execPath,
    ['-r', path.join(ROOT, 'test/support/run-typescript.cjs'), path.join(ROOT, 'examples/bot-runtime.ts'), ...flags],
    { cwd: ROOT, env: { PATH: process.env.PATH } },
  );
  killWithParent(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  const code = await new Promise<number | null>(resolve => child.once('exit', resolve));
  return {
    code,
    lines: output
      .trim()
      .split('\n')
      .map(line => line.replace(/^[\d:.]+ +/, '').replace(/ +/, ' ')),
  };
}

describe('examples/bot-runtime.ts', () => {
  it('plays a bot runtime from the first message to the last, with an agent at the desk', async () => {
    const { code, lines } = await example('--url', `${service.url}/graphql`, '--auto-agent');
    // An agent who takes it and replies at once is not seen in between.
    expect({ code, lines: lines.filter(line => !line.startsWith('handoff ASSIGNED, ')) }).toEqual({
      code: 0,
      lines: [
        'session opened; control is BOT, epoch 1',
        'end-user Hello',
        'bot Hello! I know about orders; ask for a person whenever you like.',
        'end-user Where is my order?',
        'bot Order A-17 left our warehouse this morning.',
        'end-user I would like to talk to a person, please',
        'bot I will get somebody.',
        'handoff REQUESTED',
        'handoff QUEUED',
        'service A colleague will be with you shortly.',
        'handoff ACTIVE, Alice Agent',
        'Alice Agent Hello, this is Alice Agent. Your parcel is with the carrier and comes tomorrow.',
        'end-user Thank you, that is what I wanted to know.',
        'bot (silent: control is HUMAN)',
        'Alice Agent Glad to help. Goodbye!',
        'handoff ENDED: AGENT_RESOLVED; continue at after-help',
        'end-user Thanks, bot. One more thing about my order',
        'bot Order A-17 left our warehouse this morning.',
        'session closed',
      ],
    });
  });

  it('ends with a message when nothing responds', async () => {
    const { code, lines } = await example('--url', 'http://127.0.0.1:9/graphql');
    expect(code).toBe(1);
    expect(lines).toEqual([expect.stringContaining('No service responds at http://127.0.0.1:9/graphql')]);
  });

  it('ends with a message when the chatbot is not enabled', async () => {
    const { code, lines } = await example('--url', `${service.url}/graphql`, '--chatbot', 'nobody');
    expect(code).toBe(1);
    expect(lines).toEqual([expect.stringMatching(/^CHATBOT_NOT_ENABLED \(chatbotId\): /)]);
  });
});
