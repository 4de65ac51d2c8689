import type { FlowDeps } from '../../../src/core/flows/deps';
import { runFullScan } from '../../../src/core/flows/from-provider/full-scan';
import { ProviderUnavailableError } from '../../../src/core/errors';
import type { SupportProvider } from '../../../src/core/ports/provider/support-provider';
import { createFlowWorld, type FlowWorld } from '../../../src/testing/flow-world';
import { scriptedDefinition } from '../../../src/testing/scripted-provider';

let world: FlowWorld;
beforeEach(async () => {
  world = await createFlowWorld();
});
afterEach(() => world.close());

/** An account with this many pages of changed conversations. Records the requested pages. */
function pages(count: number) {
  const asked: { page: number; withinMs: number }[] = [];
  const on = new Map<number, (signal: AbortSignal) => Promise<void>>();
  const instance: SupportProvider = Object.assign(Object.create(world.provider) as SupportProvider, {
    listChangedConversations: async ({ page, withinMs }: { page: number; withinMs: number }, signal: AbortSignal) => {
      asked.push({ page, withinMs });
      const act = on.get(page);
      on.delete(page);
      await act?.(signal);
      return { conversationIds: [], hasMore: page < count };
    },
  });
  const deps: FlowDeps = {
    ...world.deps,
    providers: new Map([['scripted', { definition: scriptedDefinition(instance), instance }]]),
  };
  const stopping = new AbortController();
  return {
    asked,
    on,
    stopping,
    pagesOf: () => asked.map(({ page }) => page),
    turn: () => runFullScan(deps, stopping.signal),
  };
}
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
const outage = async () => {
  await world.stores.scans
    .claimFullScan(1)
    .then(look => look && world.stores.scans.finishFullScan(look.accountId, look.startedAt, 300_000));
  await world.pool.query(
    "update account_scan set full_scanned_at = now() - interval '5 hours', next_full_scan_at = now()",
  );
};
const seenAgoMs = async () =>
  Number(
    (
      await world.pool.query<{ ms: string }>(
        'select extract(epoch from now() - full_scanned_at) * 1000 as ms from account_scan',
      )
    ).rows[0]!.ms,
  );

describe('a scan of more pages than one job reads', () => {
  it('continues where it stopped, also after a restart, and is complete when it has read the last page', async () => {
    await outage();
    const { asked, pagesOf, turn: tick } = pages(45);
    expect(await tick()).toMatchObject({ complete: false });
    const first = asked.length;
    expect(first).toBeLessThan(45);
    expect(await seenAgoMs()).toBeGreaterThan(4 * 3_600_000);

    await world.stores.scans.requestFullScans();
    let rounds = 1;
    for (let isComplete = false; !isComplete; rounds++) {
      isComplete = (await tick())!.complete;
      expect(asked.length).toBeLessThanOrEqual((rounds + 1) * first);
    }
    expect(pagesOf()).toEqual(upTo(45));
    // All reach back to before the outage, the last page as far as the first.
    for (const { withinMs } of asked) expect(withinMs).toBeGreaterThanOrEqual(5 * 3_600_000);
    expect(await seenAgoMs()).toBeLessThan(3_600_000);
    expect(await tick()).toBeNull();
    await world.stores.scans.requestFullScans();
    await tick();
    expect(asked.at(-1)).toMatchObject({ page: 20 });
    expect(pagesOf()[45]).toBe(1);
  });

  it('continues at the page that failed, at its next regular time', async () => {
    await outage();
    const { on, pagesOf, turn: tick } = pages(5);
    on.set(3, () => Promise.reject(new ProviderUnavailableError('away')));
    await expect(tick()).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
    expect(await tick()).toBeNull();
    await world.pool.query("update account_scan set next_full_scan_at = now() - interval '1 s'");
    expect(await tick()).toMatchObject({ complete: true });
    expect(pagesOf()).toEqual([1, 2, 3, 3, 4, 5]);
  });

  it('stops at once when the process stops, for another process to continue', async () => {
    await outage();
    const { on, stopping, pagesOf, turn: tick } = pages(5);
    on.set(2, signal => {
      stopping.abort();
      return signal.aborted ? Promise.reject(signal.reason as Error) : Promise.resolve();
    });
    expect(await tick()).toMatchObject({ complete: false });
    expect(pagesOf()).toEqual([1, 2]);
    const other = pages(5);
    expect(await other.turn()).toMatchObject({ complete: true });
    expect(other.pagesOf()).toEqual([2, 3, 4, 5]);
  });

  it('replaces the scan of live handoffs when it succeeds, and not when it fails', async () => {
    const session = await world.open();
    await world.ask(session.id);
    await outage();
    const claim = async () => (await world.stores.scans.claimScan(1)) !== null;
    const due = () => world.pool.query("update account_scan set next_scan_at = now() - interval '1 s'");
    const { on, turn: tick } = pages(1);
    on.set(1, () => Promise.reject(new ProviderUnavailableError('away')));
    await due();
    await expect(tick()).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
    expect(await claim()).toBe(true);

    await outage();
    await due();
    expect(await tick()).toMatchObject({ complete: true });
    // The full scan replaces a scan of the time at which it started.
    const {
      rows: [watch],
    } = await world.pool.query<{ ms: number }>(
      'select (extract(epoch from next_scan_at - full_scanned_at) * 1000)::float8 as ms from account_scan',
    );
    expect(watch!.ms).toBe(world.deps.limits.liveScanIntervalMs);
    expect(await claim()).toBe(false);
  });
});
