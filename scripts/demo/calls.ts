import { setTimeout } from 'node:timers/promises';
import type { DemoContext } from './demo-steps';
import { pollUntilEqual } from './step';
import { Runtime } from './runtime';
import type { CallLog } from './call-log';

export interface CallCount {
  readonly what: string;
  /** `METHOD /path` without the account and ids. */
  readonly calls: readonly string[];
}

const IDLE_MS = 700;
const MAX_WAIT_MS = 10_000;

/** Waits until no more calls arrive. */
async function waitUntilIdle({ calls }: CallLog): Promise<void> {
  const until = Date.now() + MAX_WAIT_MS;
  for (let seen = -1; seen !== calls.length && Date.now() < until; await setTimeout(IDLE_MS)) seen = calls.length;
}

const IDLE = { provider: 0 };

/** Uses one more session, after the demo, to count the service's calls to the provider for each action. */
export async function countCalls(
  story: DemoContext,
  bot: DemoContext['runtime']['client'],
  traffic: CallLog,
): Promise<readonly CallCount[]> {
  const endUser = `Eve ${story.chatbotId.slice(-8)}`;
  const runtime = new Runtime(bot, story.chatbotId, `calls-${story.chatbotId}`);
  const idle = () =>
    pollUntilEqual(async () => ({ provider: (await runtime.explain()).pendingDeliveries.provider }), IDLE);
  const handoffIs = (state: string) =>
    pollUntilEqual(async () => ({ state: (await runtime.explain()).handoff?.state }), { state });
  const counted: CallCount[] = [];
  const count = async (what: string, act: () => Promise<unknown>): Promise<void> => {
    await waitUntilIdle(traffic);
    const mark = traffic.calls.length;
    await act();
    // Includes the reads that Chatwoot's webhooks about the action cause.
    await waitUntilIdle(traffic);
    counted.push({ what, calls: traffic.since(mark) });
  };

  // The full scan of a new account runs once, some seconds after its creation, and then not for minutes.
  await pollUntilEqual(
    async () => ({
      isLookedOver: traffic.calls.some(
        ({ by, method, path }) => by === 'service' && method === 'GET' && path.endsWith('/conversations'),
      ),
    }),
    { isLookedOver: true },
  );
  await runtime.open({ name: endUser });
  await runtime.userSays('Hello?');
  await idle();
  await count('a message, end-user to agents', async () => {
    await runtime.userSays('I want to talk to a person.');
    await idle();
  });
  await count('a handoff of an existing session, to a team, with its note', async () => {
    await runtime.requestHandoff({ target: { team: story.teamId }, reason: 'To count the calls', summary: 'Counted.' });
    await handoffIs('QUEUED');
    await idle();
  });
  await story.adam.take(endUser);
  await handoffIs('ASSIGNED');
  await count('a message, agent to end-user', async () => {
    await story.adam.reply(endUser, 'Here I am.');
    await pollUntilEqual(async () => ({ isThere: (await runtime.inbox()).some(line => line.endsWith('Here I am.')) }), {
      isThere: true,
    });
  });
  return counted;
}

export function printCalls(counted: readonly CallCount[], out: Pick<Console, 'log'>): void {
  out.log('\nCalls to Chatwoot for');
  for (const { what, calls } of counted) out.log(`${String(calls.length).padStart(4)}  ${what}: ${calls.join(', ')}`);
}
