import { createStoreWorld, type StoreWorld, ORG } from './store-world';
import { until } from '../../support/until';

let world: StoreWorld;
beforeAll(async () => {
  world = await createStoreWorld();
});
afterAll(() => world.end());

describe('requesting syncs', () => {
  it.each(['requestSyncs', 'requestTimerSyncs'] as const)(
    'by %s waits for a transaction that locks one of the sessions, and holds no lock that it needs',
    async want => {
      const { sessions, scans } = world.stores;
      const { id } = await world.open();
      await sessions.transact(ORG, id, tx => tx.updateSession({ contactId: 'c-1', conversationId: `talk-${want}` }));
      await sessions.transact(ORG, id, tx => tx.requestSync('2026-11-22T20:52:23.000Z'));

      let times = 0;
      let looking: Promise<number> | undefined;
      await sessions.transact(ORG, id, async tx => {
        times++;
        looking =
          want === 'requestTimerSyncs'
            ? scans.requestTimerSyncs(world.account.id, ['talk-requestTimerSyncs'], 0)
            : scans.requestSyncs(world.account.id, ['talk-requestSyncs']);
        await until(
          async () =>
            (
              await world.sql(
                "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
              )
            ).length > 0,
        );
        await tx.requestSync('2026-11-22T20:52:24.000Z');
      });
      expect(await looking).toBe(1);
      // Postgres did not choose either as a deadlock's victim.
      expect(times).toBe(1);
    },
  );
});
