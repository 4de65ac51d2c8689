import type { RuntimePush } from '../core/ports/runtime-push';

/**
 * Pushes to endpoints of the test on this machine. The HTTP client is loaded at the first call: most tests push
 * nothing, and it is large.
 */
export function pushWhenCalled(): RuntimePush {
  let loaded: RuntimePush | undefined;
  const push = (): RuntimePush => {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- an `import` would load it at once
    loaded ??= (require('./tenant-fetch') as typeof import('./tenant-fetch')).createUnrestrictedPush();
    return loaded;
  };
  return {
    addressProblem: async url => push().addressProblem(url),
    post: async (...given) => push().post(...given),
  };
}
