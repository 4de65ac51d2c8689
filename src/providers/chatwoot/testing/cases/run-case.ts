import type { ChatwootWorldOptions } from '../chatwoot-world';
import { firstRecordings, type WebhookRecording } from '../recording-files';
import { isClaimTrue, takeSnapshot, readRows, type EffectSnapshot } from './effect-snapshot';
import { RecordedScene } from './scene';

type Step = (scene: RecordedScene) => Promise<unknown>;

/** One recorded webhook, the steps that precede it, and its effects. */
export interface RecordedCase {
  /** The recording's name. */
  readonly file: string;
  /** The rest of the test's name. */
  readonly effectName: string;
  readonly policy?: ChatwootWorldOptions['policy'];
  /** Steps before, whose effects this service has already processed. */
  readonly given: readonly Step[];
  /** Steps in Chatwoot that the webhook reports. */
  readonly act: readonly Step[];
  readonly outcome?: 'recorded' | 'ignored' | 'typing' | 'unknownConversation' | 'agentInitiated';
  /** The requested kind of sync. Null: none, and Chatwoot is not called. */
  readonly requestedSync: 'ALL' | 'MESSAGES' | null;
  /** All values that change. */
  readonly effect?: Partial<EffectSnapshot>;
  /** The typing events that subscribers get. */
  readonly typing?: readonly { readonly externalId: string; readonly isTyping: boolean }[];
  /** True if the body's claim does not hold in Chatwoot. */
  readonly isUntrue?: true;
}

export const begin: Step = scene => scene.begin();
export const handOver: Step = scene => scene.handOver();
export const collectAll: Step = scene => scene.syncAndCollect();

const all = new Map(
  [...firstRecordings<WebhookRecording>('webhooks'), ...firstRecordings<WebhookRecording>('webhooks-4.14')].map(one => [
    one.file,
    one,
  ]),
);
export const recordedFiles: readonly string[] = [...all.keys()];
export function recordingOf(file: string): WebhookRecording {
  const recording = all.get(file);
  if (recording === undefined) throw new Error(`There is no recording ${file}; check the name in the case.`);
  return recording;
}

/** Posts the body twice: the first time has the effects of the case, the second time has none. */
export async function runCase({
  file,
  policy,
  given,
  act,
  outcome = 'recorded',
  requestedSync,
  effect = {},
  typing = [],
  isUntrue,
}: RecordedCase): Promise<void> {
  const scene = await RecordedScene.open(recordingOf(file), policy && { policy });
  try {
    for (const step of [...given, ...act]) await step(scene);
    expect({ isTrue: await isClaimTrue(scene) }).toEqual({ isTrue: isUntrue !== true });
    const before = await takeSnapshot(scene);

    expect(await scene.post()).toEqual({ status: 200, outcome });
    expect({ wish: await scene.requestedSync() }).toEqual({ wish: requestedSync });
    let syncCount = 0;
    const calls = await scene.world.callsOf(async () => {
      syncCount = await scene.runUntilIdle();
    });
    if (requestedSync === null) expect({ readings: syncCount, calls }).toEqual({ readings: 0, calls: [] });
    else expect(syncCount).toBeGreaterThan(0);
    expect(await takeSnapshot(scene)).toEqual({ ...before, ...effect });
    expect(scene.world.typed).toMatchObject(typing);

    const rows = await readRows(scene);
    expect((await scene.post()).status).toBe(200);
    await scene.runUntilIdle();
    expect(await readRows(scene)).toEqual(rows);
    expect(await takeSnapshot(scene)).toEqual({ ...before, ...effect });
  } finally {
    await scene.close();
  }
}
