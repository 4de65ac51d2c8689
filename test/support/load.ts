import { OpenSessionDocument, RecordEndUserMessageDocument } from '../../examples/generated/client';
import { done, type SupportClient } from '../../examples/support-client';

export interface Load {
  /** The messages acknowledged so far, by session. */
  readonly acknowledged: ReadonlyMap<string, readonly string[]>;
  readonly count: number;
  /** Resolves when that many more were acknowledged. */
  more(rounds: number): Promise<void>;
  /** Stops after the current message. @throws the error of a call */
  stop(): Promise<void>;
}

/**
 * Starts end-users who send numbered messages one after another, each in a separate session. Repeats calls as a runtime
 * does.
 */
export async function startLoad(client: Pick<SupportClient, 'call'>, chatbotId: string, width: number): Promise<Load> {
  const acknowledged = new Map<string, string[]>();
  const counters = { all: 0, stopped: false };
  const waiting = new Set<() => void>();
  const converse = async (sessionId: string, said: string[]): Promise<void> => {
    for (let i = 1; !counters.stopped; i++) {
      const text = `turn ${i}`;
      done(
        (
          await client.call(RecordEndUserMessageDocument, {
            input: { sessionId, text, idempotencyKey: `${sessionId}-${i}` },
          })
        ).recordEndUserMessage,
      );
      said.push(text);
      counters.all += 1;
      for (const look of waiting) look();
    }
  };
  const running: Promise<void>[] = [];
  for (let i = 0; i < width; i++) {
    const { session } = done(
      (await client.call(OpenSessionDocument, { input: { chatbotId, channel: 'web', externalId: `load-${i}` } }))
        .openSupportSession,
    );
    acknowledged.set(session!.id, []);
    running.push(converse(session!.id, acknowledged.get(session!.id)!));
  }
  const failed = new Promise<never>((_, reject) => {
    for (const one of running) one.catch(reject);
  });
  failed.catch(() => undefined);
  return {
    acknowledged,
    get count() {
      return counters.all;
    },
    more: rounds => {
      const wanted = counters.all + rounds;
      return Promise.race([
        failed,
        new Promise<void>(resolve => {
          const look = (): void => {
            if (counters.all >= wanted) {
              waiting.delete(look);
              resolve();
            }
          };
          waiting.add(look);
        }),
      ]);
    },
    async stop() {
      counters.stopped = true;
      await Promise.all(running);
    },
  };
}
