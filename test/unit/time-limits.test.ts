import { TIME_LIMITS } from '../../src/time-limits';

const { stop: { finishMs, workMs, goodbyeMs, exitMs }, socket: { closeMs } } = TIME_LIMITS;

// Requests with their sockets, and remote calls, are stopped beside each other.
it('a stop that has to wait for everything is over before its process ends itself', () => {
  expect(Math.max(finishMs + goodbyeMs, workMs)).toBeLessThan(exitMs);
});

it('a WebSocket\'s goodbye is over before all goodbyes are', () => {
  expect(closeMs).toBeLessThan(goodbyeMs);
});
