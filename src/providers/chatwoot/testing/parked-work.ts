import { ANY_DEAD_LETTER } from '../../../testing/any-dead-letter';
import { ORG, type ChatwootWorld } from './chatwoot-world';

/** Runs the pending work for the double without its waits, and reads its dead letters. */
export function setAsideIn(world: () => ChatwootWorld) {
  const deadLetters = async () =>
    (await world().stores.deadLetters.page(ORG, 'PARKED', ANY_DEAD_LETTER, { first: 100, after: null })).edges.map(
      ({ node }) => node,
    );
  const dueAgain = () =>
    world().pool.query(
      "update lane set next_run_at = now() where destination = 'PROVIDER' and next_run_at is not null",
    );
  const work = async () => {
    await dueAgain();
    return world().applyAllVerdicts();
  };
  const resend = async (skipLookup = false) =>
    world().flows.resendDeadLetters(
      { organizationId: ORG },
      { ids: (await deadLetters()).map(({ id }) => id), filter: null, all: false, after: null, skipLookup: skipLookup },
      null,
    );
  /** Makes the double unreachable for longer than any delivery is retried. */
  async function isAwayFor75Hours(): Promise<void> {
    world().double.failNext({ match: { path: /\/conversations/ }, mode: 'status:503', times: Infinity });
    await work();
    world().time.aheadMs += 75 * 3_600_000 + 1;
    expect(await work()).toEqual(['park']);
    world().double.clearFaults();
  }
  return { letters: deadLetters, work, resend, isAwayFor75Hours };
}
