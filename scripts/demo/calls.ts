import { setTimeout } from 'node:timers/promises';
import type { Story } from './story';
import { settled } from './step';
import { Runtime } from './runtime';
import type { Traffic } from './traffic';

export interface Counted {
  readonly what: string;
  /** `METHOD /path` without the account and ids. */
  readonly calls: readonly string[];
}

const QUIET_MS = 700;
const PATIENCE_MS = 10_000;

/** Waits until no more calls arrive. */
async function quiet({ calls }: Traffic): Promise<void> {
  const until = Date.now() + PATIENCE_MS;
  for (let seen = -1; seen !== calls.length && Date.now() < until; await setTimeout(QUIET_MS)) seen = calls.length;
}

const IDLE = { provider: 0 };

/** Uses one more session, after the demo, to count the service's calls to the provider for each action. */
export async function countCalls(story: Story, bot: Story['runtime']['client'], traffic: Traffic): Promise<readonly Counted[]> {
  const endUser = `Eve ${story.chatbotId.slice(-8)}`;
  const runtime = new Runtime(bot, story.chatbotId, `calls-${story.chatbotId}`);
  const idle = () => settled(async () => ({ provider: (await runtime.explain()).owed.provider }), IDLE);
  const handoffIs = (state: string) => settled(async () => ({ state: (await runtime.explain()).handoff?.state }), { state });
  const counted: Counted[] = [];
  const count = async (what: string, act: () => Promise<unknown>): Promise<void> => {
    await quiet(traffic);
    const mark = traffic.calls.length;
    await act();
    // Includes the reads that Chatwoot's webhooks about the action cause.
    await quiet(traffic);
    counted.push({ what, calls: traffic.since(mark) });
  };

  // The full scan of a new account runs once, some seconds after its creation, and then not for minutes.
  await settled(async () => ({ isLookedOver: traffic.calls.some(({ by, method, path }) => by === 'service' && method === 'GET' && path.endsWith('/conversations')) }), { isLookedOver: true });
  await runtime.open({ name: endUser });
  await runtime.userSays('Hello?');
  await idle();
  await count('a message, end-user to agents', async () => { await runtime.userSays('I want to talk to a person.'); await idle(); });
  await count('a handoff of an existing session, to a team, with its note', async () => {
    await runtime.requestHandoff({ target: { team: story.teamId }, reason: 'To count the calls', summary: 'Counted.' });
    await handoffIs('QUEUED');
    await idle();
  });
  await story.adam.take(endUser);
  await handoffIs('ASSIGNED');
  await count('a message, agent to end-user', async () => {
    await story.adam.reply(endUser, 'Here I am.');
    await settled(async () => ({ isThere: (await runtime.inbox()).some((line) => line.endsWith('Here I am.')) }), { isThere: true });
  });
  return counted;
}

export function printCalls(counted: readonly Counted[], out: Pick<Console, 'log'>): void {
  out.log('\nCalls to Chatwoot for');
  for (const { what, calls } of counted) out.log(`${String(calls.length).padStart(4)}  ${what}: ${calls.join(', ')}`);
}
