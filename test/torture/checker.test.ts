import { judge, type Column } from '../../scripts/torture/checker';
import { LINES, type Invocation, type Received } from '../../scripts/torture/evidence';
import { copyOf, linesOf, soundHistory, Story, type Draft } from './evidence-of';

const columns = (draft: Draft): Column[] => [...new Set(judge(draft).map(({ column }) => column))];
const SOUND = soundHistory();

it('finds nothing in a history that is right', () => {
  expect(judge(SOUND)).toEqual([]);
});

const lineAt = (draft: Draft, text: string): number => linesOf(draft).findIndex((line) => line.text === text);
const wordAt = (draft: Draft, text: string): number => draft.received.findIndex(({ notice }) => notice.kind === 'message' && notice.text === text);
const again = (received: Received): Received => ({ ...received, deliveryId: `${received.deliveryId}-again` });
const answerTo = (draft: Draft, key: string): { entry: Extract<Invocation, { kind: 'answered' }>; place: number } => {
  const place = draft.log.findIndex((entry) => entry.kind === 'answered' && entry.key === key);
  return { entry: draft.log[place] as Extract<Invocation, { kind: 'answered' }>, place };
};
function edit(draft: Draft, key: string, change: Partial<Extract<Invocation, { kind: 'answered' }>>): void {
  const { entry, place } = answerTo(draft, key);
  draft.log[place] = { ...entry, ...change };
}
function swap<T>(items: T[], one: number, other: number): void { [items[one], items[other]] = [items[other]!, items[one]!]; }

describe.each<[Column, readonly [string, (draft: Draft) => void][]]>([
  ['lost', [
    ['an acknowledged turn of the end-user is not at the agents\'', (draft) => linesOf(draft).splice(lineAt(draft, '[u3]'), 1)],
    ['a bot line that the end-user saw is not at the agents\'', (draft) => linesOf(draft).splice(lineAt(draft, '[b4]'), 1)],
    ['a suggestion is not at the agents\'', (draft) => linesOf(draft).splice(lineAt(draft, '[b3]'), 1)],
    ['a whole conversation is gone', (draft) => draft.farSide.splice(0, 1)],
    ['an agent\'s word never reached the runtime', (draft) => { linesOf(draft).push({ id: 99, by: 'agent', isPrivate: false, text: '[a3]', file: null }); }],
  ]],
  ['doubled', [
    ['a turn stands there twice', (draft) => linesOf(draft).push({ ...linesOf(draft)[lineAt(draft, '[u4]')]!, id: 99 })],
    ['a turn stands there and in the file with the beginning', (draft) => linesOf(draft).unshift({ id: 0, by: 'bot', isPrivate: true, text: 'The first messages', file: '[1] End-user:\n  [u1]\n' })],
    ['a session has two conversations', (draft) => draft.farSide.push({ ...draft.farSide[0]!, id: 2, lines: [] })],
    ['an agent\'s word came as two deliveries', (draft) => draft.received.push(again(draft.received[wordAt(draft, '[a2]')]!))],
    ['a handoff has two outcomes', (draft) => draft.received.push(again(draft.received.find(({ notice }) => notice.kind === 'outcome')!))],
    ['a colleague was promised twice', (draft) => draft.received.push(again(draft.received[wordAt(draft, LINES.queued)]!))],
    ['another session\'s turn stands there', (draft) => linesOf(draft).push({ id: 99, by: 'bot', isPrivate: false, text: '[of somebody else]', file: null })],
    ['another session\'s word came', (draft) => draft.received.push({ ...again(draft.received[wordAt(draft, '[a2]')]!), notice: { kind: 'message', author: 'AGENT', messageId: 'x', seq: 99, text: '[of somebody else]' } })],
    ['what was refused stands there as a note', (draft) => linesOf(draft).push({ id: 99, by: 'bot', isPrivate: true, text: '[b2]', file: null })],
    ['one key was answered in two ways', (draft) => draft.log.push({ ...answerTo(draft, '[u1]').entry, seq: 77 })],
  ]],
  ['out of order', [
    ['two turns stand there the other way round', (draft) => swap(linesOf(draft), lineAt(draft, '[u1]'), lineAt(draft, '[b1]'))],
    ['an author\'s numbers fall', (draft) => { edit(draft, '[u1]', { seq: 3 }); edit(draft, '[u2]', { seq: 1 }); swap(linesOf(draft), lineAt(draft, '[u1]'), lineAt(draft, '[u2]')); }],
    ['two words came the other way round', (draft) => swap(draft.received, wordAt(draft, '[a1]'), wordAt(draft, '[a2]'))],
    ['the outcome came before the last word', (draft) => swap(draft.received, wordAt(draft, '[a2]'), draft.received.findIndex(({ notice }) => notice.kind === 'outcome'))],
    ['a handoff moved after its outcome', (draft) => draft.received.push({ ...again(draft.received[0]!), notice: { kind: 'state', handoffId: 'h-1', state: 'ACTIVE' } })],
  ]],
  ['bot over human', [
    ['a bot line was let through at an epoch of people', (draft) => edit(draft, '[b4]', { control: 'HUMAN' })],
    ['a bot line was let through while somebody is waited for', (draft) => { edit(draft, '[b4]', { epoch: 5, control: 'NONE' }); const asked = draft.log.findIndex((entry) => entry.kind === 'asked' && entry.key === '[b4]'); draft.log[asked] = { ...draft.log[asked], epoch: 2 } as Invocation; }],
    ['one epoch belonged to two', (draft) => edit(draft, '[u1]', { epoch: 3 })],
    ['a bot line followed an agent\'s word under the old epoch', (draft) => {
      const { entry } = answerTo(draft, '[b1]');
      const asked = draft.log.find((one) => one.kind === 'asked' && one.key === '[b1]')!;
      draft.log.push({ ...asked, key: '[b9]', text: '[b9]' } as Invocation, { ...entry, key: '[b9]', seq: 8 });
      linesOf(draft).push({ id: 50, by: 'bot', isPrivate: false, text: '[b9]', file: null });
    }],
    ['a refused line stands there in public', (draft) => linesOf(draft).push({ id: 99, by: 'bot', isPrivate: false, text: '[b2]', file: null })],
    ['a suggestion stands there in public', (draft) => { const place = lineAt(draft, '[b3]'); linesOf(draft)[place] = { ...linesOf(draft)[place]!, isPrivate: false }; }],
  ]],
  ['notes leaked', [
    ['a note came as a message', (draft) => draft.received.push({ ...again(draft.received[wordAt(draft, LINES.queued)]!), notice: { kind: 'message', author: 'SYSTEM', messageId: 'x', seq: 99, text: '[n1]' } })],
    ['a note came within another text', (draft) => { const place = wordAt(draft, LINES.queued); const before = draft.received[place]!; draft.received[place] = { ...before, notice: { ...before.notice, text: 'she wrote: [n1]' } as Received['notice'] }; }],
    ['a suggestion came as a message', (draft) => draft.received.push({ ...again(draft.received[wordAt(draft, LINES.queued)]!), notice: { kind: 'message', author: 'BOT', messageId: 'x', seq: 99, text: '[b3]' } })],
  ]],
  ['stuck handoffs', [
    ['a handoff is over without an outcome', (draft) => draft.received.splice(draft.received.findIndex(({ notice }) => notice.kind === 'outcome'), 1)],
    ['a handoff stays in the middle of its end', (draft) => stay(draft, 'ENDING', 'open')],
    ['a handoff stays requested', (draft) => stay(draft, 'REQUESTED', 'open')],
    ['a handoff is live over a conversation that people have left', (draft) => stay(draft, 'ACTIVE', 'resolved')],
    ['control does not follow', (draft) => { draft.log[draft.log.length - 1] = { ...draft.log.at(-1), control: 'HUMAN' } as Invocation; }],
    ['nobody looked in the end', (draft) => draft.log.pop()],
  ]],
])('a planted fault of the column "%s"', (column, plants) => {
  it.each(plants)('is found: %s', (_what, plant) => {
    const draft = copyOf(SOUND);
    plant(draft);
    expect(columns(draft)).toContain(column);
  });
});

/** Instead of its outcome the handoff is still there. */
function stay(draft: Draft, state: string, status: 'open' | 'resolved'): void {
  draft.received.splice(draft.received.findIndex(({ notice }) => notice.kind === 'outcome'), 1);
  draft.log[draft.log.length - 1] = { ...draft.log.at(-1), control: state === 'REQUESTED' ? 'NONE' : 'HUMAN', epoch: 9, handoff: { id: 'h-1', state } } as Invocation;
  draft.farSide[0] = { ...draft.farSide[0]!, status };
}

describe('what is right although it looks odd', () => {
  it('a turn that was never answered may be there or not', () => {
    const draft = copyOf(SOUND);
    draft.log.splice(answerTo(draft, '[u3]').place, 1);
    expect(judge(draft)).toEqual([]);
    linesOf(draft).splice(lineAt(draft, '[u3]'), 1);
    expect(judge(draft)).toEqual([]);
  });

  it('with mirroring ON_HANDOFF, what nobody asked people about need not be there', () => {
    const story = () => new Story({ mirroring: 'ON_HANDOFF' }).user('[u1]', 'BOT', 1, false);
    expect(judge(story().end('pending', 'BOT', 1))).toEqual([]);
    const accepted = story().asks('h-1', 'NONE', 2).state('h-1', 'QUEUED', 'NONE', 2).outcome('h-1', 'BOT_CANCELLED', 'BOT', 3).end('pending', 'BOT', 3);
    expect(columns(accepted)).toEqual(['lost']);
  });

  it('a bot may speak while somebody is waited for, where the policy lets it', () => {
    const spoken = (whileWaiting: 'HOLD' | 'BOT_MAY_ANSWER') => new Story({ whileWaiting }).asks('h-1', 'NONE', 2).state('h-1', 'QUEUED', 'NONE', 2)
      .bot('[b1]', 2, 'NONE').end('open', 'NONE', 2, { id: 'h-1', state: 'QUEUED' });
    expect(judge(spoken('BOT_MAY_ANSWER'))).toEqual([]);
    expect(columns(spoken('HOLD'))).toEqual(['bot over human']);
  });

  it('a word into a resolved conversation is a takeover that is over at once', () => {
    const draft = new Story().agent('reply', 'resolved', '[a1]').state('h-1', 'ACTIVE', 'HUMAN', 2).word('[a1]', 'HUMAN', 2)
      .outcome('h-1', 'AGENT_RESOLVED', 'BOT', 3).agent('reply', 'resolved', '[a2]').state('h-2', 'ACTIVE', 'HUMAN', 4).word('[a2]', 'HUMAN', 4)
      .outcome('h-2', 'AGENT_RESOLVED', 'BOT', 5).end('resolved', 'BOT', 5);
    expect(judge(draft)).toEqual([]);
  });
});
