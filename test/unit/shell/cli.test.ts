import { runCli } from '../../../src/cli';

async function run(
  args: string[],
  env: Record<string, string> = {},
  printSchema = () => Promise.resolve('type Query { a: Int }\n'),
) {
  const out: string[] = [];
  const err: string[] = [];
  const status = await runCli(args, { env, out: text => out.push(text), err: text => err.push(text), printSchema });
  return { status, out: out.join('\n'), err: err.join('\n') };
}

describe('check-config', () => {
  it('prints the effective settings and exits 0', async () => {
    const { status, out, err } = await run(['check-config'], {
      PORT: '8080',
      SUPPORT_GATEWAY_SECRET: 'hunter2'.repeat(5),
    });
    expect([status, err]).toEqual([0, '']);
    expect(out).toMatch(/^PORT +8080$/m);
    expect(out).toMatch(/^HOST +127\.0\.0\.1 {2}\(default\)$/m);
    expect(out).toMatch(/^SUPPORT_GATEWAY_SECRET +\(hidden\)$/m);
    expect(out).toMatch(/^SUPPORT_JWT_ISSUER +\(not set\)$/m);
    expect(out).not.toContain('hunter2');
  });

  it('repeats the notices for operators', async () => {
    expect((await run(['check-config'])).out).toContain('only programs on this machine are served');
  });

  it('names all problems and exits 78', async () => {
    const { status, out, err } = await run(['check-config'], { PORT: 'x', SUPPORT_EXAMPLE: 'maybe' });
    expect([status, out]).toEqual([78, '']);
    expect(err).toContain('PORT');
    expect(err).toContain('SUPPORT_EXAMPLE');
  });
});

it('print-schema prints the schema and nothing else', async () => {
  expect(await run(['print-schema'])).toEqual({ status: 0, out: 'type Query { a: Int }', err: '' });
});

it('an unexpected error is thrown on', async () => {
  await expect(run(['print-schema'], {}, () => Promise.reject(new Error('boom')))).rejects.toThrow('boom');
});

it.each([[[]], [['help']], [['--help']], [['-h']]])('%j lists the commands', async args => {
  const { status, out } = await run(args);
  expect(status).toBe(0);
  for (const command of ['check-config', 'print-schema', 'help']) expect(out).toContain(command);
});

it.each([[['start']], [['constructor']], [['check-config', '--now']]])(
  '%j is invalid usage: exit 64, with the commands',
  async args => {
    const { status, out, err } = await run(args);
    expect([status, out]).toEqual([64, '']);
    expect(err).toContain('check-config');
  },
);
