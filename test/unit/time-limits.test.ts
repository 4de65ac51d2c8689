import { SETTINGS } from '../../src/config/settings';
import { TIME_LIMITS } from '../../src/time-limits';

const {
  stop: { finishMs, workMs, closeMs: goodbyeMs, exitMs },
  socket: { closeMs },
} = TIME_LIMITS;

// Requests with their sockets, and remote calls, are stopped at the same time.
it('a stop that waits for everything ends before the process ends itself, with the longest grace period that can be set', () => {
  const seconds = Array.from({ length: 100 }, (_, second) => second)
    .filter(second => SETTINGS.SUPPORT_STOP_GRACE_SECONDS.schema.safeParse(String(second)).success)
    .at(-1)!;
  expect(seconds).toBeGreaterThan(0);
  expect(Math.max(seconds * 1_000 + finishMs + goodbyeMs, workMs)).toBeLessThan(exitMs);
});

it('the close timeout of one WebSocket is shorter than the close timeout of all', () => {
  expect(closeMs).toBeLessThan(goodbyeMs);
});
