import { ChatwootStage } from '../../scripts/demo/chatwoot-stage';
import { DeskStage } from '../../scripts/demo/desk-stage';
import { openHouse, type House } from '../../scripts/demo/house';
import { firstDifference } from '../../scripts/demo/step';
import { Story, STORY } from '../../scripts/demo/story';
import { startChatwootDouble, type ChatwootDouble } from '../../src/providers/chatwoot/testing/double';
import { createTestDatabase, type TestDatabase } from '../support/database';

describe.each(['desk', 'chatwoot-double'] as const)('from bot to person and back: %s', (provider) => {
  let database: TestDatabase;
  let double: ChatwootDouble | undefined;
  let house: House;
  let story: Story;
  /** A story is one thing: after a step that went wrong the rest would only repeat that. */
  let brokenAt: string | undefined;

  beforeAll(async () => {
    database = await createTestDatabase();
    house = await openHouse(database.url);
    double = provider === 'chatwoot-double' ? await startChatwootDouble() : undefined;
    const stage = double ? new ChatwootStage(double.baseUrl, double.platformToken) : new DeskStage(house.url, house.gateway);
    story = new Story(stage, house.operator, house.bot);
  });

  afterAll(async () => {
    await house?.stop();
    await double?.stop();
    await database?.drop();
  });

  it.each(STORY.map((step, i) => [i + 1, step.title, step] as const))('%i. %s', async (_number, title, { act, expected }) => {
    if (brokenAt !== undefined) throw new Error(`The story broke before, at "${brokenAt}".`);
    brokenAt = title;
    const seen = await act(story);
    expect(seen).toEqual(expected(story));
    brokenAt = undefined;
  });

  it('reaches its webhooks: nothing of this was found by the timer alone', () => {
    if (!double) return;
    const sent = double.deliveries();
    expect(sent.length).toBeGreaterThan(0);
    expect(sent.filter(({ state }) => state === 'failed')).toEqual([]);
  });
});

describe('a story that goes otherwise', () => {
  it.each([
    ['another value', { control: 'BOT' }, { control: 'NONE' }, 'seen.control is "BOT", expected "NONE"'],
    ['a line too many', ['a', 'b'], ['a'], 'seen[1] is "b", expected nothing'],
    ['a line too few', { lines: ['a'] }, { lines: ['a', 'b'] }, 'seen.lines[1] is nothing, expected "b"'],
    ['something that was not expected at all', { a: 1, b: 2 }, { a: 1 }, 'seen.b is 2, expected nothing'],
    ['null for a thing', { agent: null }, { agent: { name: 'Adam' } }, 'seen.agent is null, expected {"name":"Adam"}'],
  ])('is told by its first difference: %s', (_what, seen, expected, difference) => {
    expect(firstDifference(seen, expected)).toBe(difference);
  });

  it('is not told when there is none', () => {
    expect(firstDifference({ a: [1, { b: null }], c: undefined }, { a: [1, { b: null }] })).toBeNull();
  });
});
