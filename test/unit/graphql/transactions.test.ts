import type { EventRecord } from '../../../src/core/event';
import { findChange } from '../../../src/graphql/sessions/conversation-status';
import { WakeSignal, OpenSubscriptions } from '../../../src/graphql/live/wake-signal';
import type { LiveSources } from '../../../src/graphql/live/live-sources';
import { transactionsAfter } from '../../../src/graphql/live/session-events';

const event = (seq: number, position: string, body: EventRecord['body'] = { type: 'SURVEY_OFFERED' }): EventRecord => ({
  sessionId: 's',
  seq,
  organizationId: 'org-1',
  chatbotId: 'bot-1',
  handoffId: 'h',
  at: '2026-11-22T12:00:00.000Z',
  position,
  body,
});

describe('the events of one transaction', () => {
  /** Reads a log of events from the start; the first pause ends it. */
  async function read(log: readonly EventRecord[]): Promise<{ readonly seqs: number[][]; readonly reads: number }> {
    let reads = 0;
    const listBySession = async (_organization: string, _session: string, after: number, limit: number) => {
      reads += 1;
      return log.filter(({ seq }) => seq > after).slice(0, limit);
    };
    const signal = new WakeSignal(new OpenSubscriptions(), () => () => undefined);
    const seqs: number[][] = [];
    const items = transactionsAfter(
      { stores: { events: { listBySession } } } as unknown as LiveSources,
      { organizationId: 'org-1' },
      's',
      { seq: 0 },
      signal,
    );
    void (async () => {
      for await (const events of items) seqs.push(events.map(({ seq }) => seq));
    })();
    for (let quiet = 0; quiet < 3; quiet += 1)
      await new Promise(resolve => {
        setImmediate(resolve);
      });
    signal.close();
    return { seqs, reads };
  }

  it('arrive together', async () => {
    expect((await read([event(1, '1'), event(2, '2'), event(3, '2'), event(4, '5')])).seqs).toEqual([[1], [2, 3], [4]]);
  });

  it('arrive together also when a full page of the log ends between them', async () => {
    const log = Array.from({ length: 103 }, (_, i) => event(i + 1, i < 98 ? String(i) : 'one transaction'));
    const { seqs, reads } = await read(log);
    expect(seqs.at(-1)).toEqual([99, 100, 101, 102, 103]);
    expect(seqs).toHaveLength(99);
    expect(reads).toBe(2);
  });

  it('become one change, with the last one that changed anything', () => {
    const before = { control: 'BOT', epoch: 1, isClosed: false, handoffId: null, handoffState: null } as const;
    const asked = event(2, '2', {
      type: 'HANDOFF_CHANGED',
      from: null,
      to: 'REQUESTED',
      cause: 'REQUESTED',
      endReason: null,
      agentName: null,
    });
    const silent = event(3, '2', { type: 'CONTROL_CHANGED', control: 'NONE', epoch: 2, cause: 'REQUESTED' });
    expect(findChange(before, [asked, silent, event(4, '2')])).toEqual({
      facts: { control: 'NONE', epoch: 2, isClosed: false, handoffId: 'h', handoffState: 'REQUESTED' },
      last: silent,
    });
    expect(findChange(before, [event(4, '3')])).toBeNull();
  });
});
