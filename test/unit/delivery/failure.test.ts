import { ProviderUnavailableError } from '../../../src/core/errors';
import { describeFailure, remoteOf } from '../../../src/delivery/describe-failure';
import { Loop } from '../../../src/delivery/loop';

const refused = () =>
  new TypeError('fetch failed', {
    cause: Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:3000'), { code: 'ECONNREFUSED' }),
  });

it('logs a failure with its code, our own message, and the class of its cause', () => {
  expect(describeFailure(new ProviderUnavailableError('Chatwoot cannot be reached.', { cause: refused() }))).toEqual({
    code: 'PROVIDER_UNAVAILABLE',
    reason: 'Chatwoot cannot be reached.',
    cause: 'ECONNREFUSED',
  });
  expect(describeFailure(new Error('said: hunter2'))).toEqual({ code: 'INTERNAL', reason: 'Error' });
  expect(describeFailure('hunter2')).toEqual({ code: 'INTERNAL', reason: 'unknown' });
  expect(JSON.stringify(describeFailure(refused()))).not.toMatch(/10\.0\.0\.7|connect /);
});

it('names the account or the endpoint of a lane', () => {
  expect(remoteOf({ destination: 'PROVIDER', remoteId: 'a' })).toEqual({ accountId: 'a' });
  expect(remoteOf({ destination: 'RUNTIME', remoteId: 'e' })).toEqual({ endpointId: 'e' });
});

it('logs for a failed loop which work failed, why, and the next step, without message text', async () => {
  const logged = new Promise<Readonly<Record<string, unknown>>>(resolve => {
    const loop = new Loop(
      'settling',
      async () => {
        throw new Error('said: hunter2');
      },
      1,
      {
        error: fields => {
          void loop.stop();
          resolve(fields);
        },
      },
    );
    loop.start();
  });
  expect(await logged).toEqual({
    work: 'settling',
    code: 'INTERNAL',
    reason: 'Error',
    next: expect.stringContaining('retried'),
  });
});
