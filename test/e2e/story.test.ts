import { ChatwootDemoAdapter } from '../../scripts/demo/chatwoot-adapter';
import { DeskDemoAdapter } from '../../scripts/demo/desk-adapter';
import { startTestService, type TestService } from '../../scripts/demo/test-service';
import { firstDifference } from '../../scripts/demo/step';
import { DemoContext, DEMO_STEPS } from '../../scripts/demo/demo-steps';
import { runSteps } from '../../scripts/demo/run-steps';
import { startChatwootDouble, type ChatwootDouble } from '../../src/providers/chatwoot/testing/double';
import { createTestDatabase, type TestDatabase } from '../../src/testing/database';

describe.each(['desk', 'chatwoot-double'] as const)('from bot to agent and back: %s', provider => {
  let database: TestDatabase;
  let double: ChatwootDouble | undefined;
  let service: TestService;
  let story: DemoContext;
  /** A story is a whole: after a failed step the rest would only fail for the same reason. */
  let brokenAt: string | undefined;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startTestService(database.url);
    double = provider === 'chatwoot-double' ? await startChatwootDouble() : undefined;
    const adapter = double
      ? new ChatwootDemoAdapter(double.baseUrl, double.platformToken)
      : new DeskDemoAdapter(service.url, service.gateway);
    story = new DemoContext(adapter, service.operator, service.bot);
  });

  afterAll(async () => {
    await service?.stop();
    await double?.stop();
    await database?.drop();
  });

  it.each(DEMO_STEPS.map((step, i) => [i + 1, step.title, step] as const))(
    '%i. %s',
    async (_number, title, { act, expected }) => {
      if (brokenAt !== undefined) throw new Error(`The story broke before, at "${brokenAt}".`);
      brokenAt = title;
      const seen = await act(story);
      expect(seen).toEqual(expected(story));
      brokenAt = undefined;
    },
  );

  if (provider === 'chatwoot-double')
    it('received every webhook that was sent', async () => {
      await double!.whenIdle();
      const sent = double!.deliveries();
      expect(sent.length).toBeGreaterThan(0);
      expect(sent.filter(({ state }) => state !== 'delivered')).toEqual([]);
    });
});

describe('a story that differs', () => {
  it.each([
    ['another value', { control: 'BOT' }, { control: 'NONE' }, 'seen.control is "BOT", expected "NONE"'],
    ['a line too many', ['a', 'b'], ['a'], 'seen[1] is "b", expected nothing'],
    ['a line too few', { lines: ['a'] }, { lines: ['a', 'b'] }, 'seen.lines[1] is nothing, expected "b"'],
    ['something that was not expected at all', { a: 1, b: 2 }, { a: 1 }, 'seen.b is 2, expected nothing'],
    ['null for a thing', { agent: null }, { agent: { name: 'Adam' } }, 'seen.agent is null, expected {"name":"Adam"}'],
  ])('is reported by its first difference: %s', (_what, seen, expected, difference) => {
    expect(firstDifference(seen, expected)).toBe(difference);
  });

  it('ends the demo with exit code 1 at the step that differs', async () => {
    const said: string[] = [];
    const out = { log: (text: string) => said.push(text), error: (text: string) => said.push(text) };
    const steps = ['first', 'second', 'third'].map(title => ({
      title,
      act: async () => ({ title }),
      expected: () => ({ title: title.replace('second', 'other') }),
    }));
    expect(await runSteps(steps, {}, out)).toBe(1);
    expect(said.join('\n')).toContain(
      'Step 2, "second", is not as expected:\n  seen.title is "second", expected "other"',
    );
    expect(said.join('\n')).not.toContain('third');
    expect(await runSteps(steps.slice(0, 1), {}, out)).toBe(0);
  });

  it('is not reported when there is no difference', () => {
    expect(firstDifference({ a: [1, { b: null }], c: undefined }, { a: [1, { b: null }] })).toBeNull();
  });
});
