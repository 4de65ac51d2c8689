import { AsyncLocalStorage } from 'node:async_hooks';
import { pino, type DestinationStream, type Logger } from 'pino';
import type { ProviderHost } from './core/ports/support-provider';
import { describeError } from './logging/describe-error';
import { withoutSecrets } from './logging/redaction';

export type { Logger } from 'pino';

/** How rooms log: the same shape that providers get. */
export type Log = ProviderHost['log'];

const requests = new AsyncLocalStorage<string>();

/** Every line that is written inside `work`, and in what it starts, carries the request's id. */
export const withRequestId = <T>(requestId: string, work: () => T): T => requests.run(requestId, work);

/**
 * One JSON object a line on standard output. Secrets and what people said are taken out by field name, errors are cut
 * down to what cannot hold either; so a careless call loses detail and never leaks.
 */
export function createLogger(options: { readonly level: string; readonly destination?: DestinationStream }): Logger {
  return pino({
    level: options.level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: label => ({ level: label }), log: withoutSecrets },
    // Already described by withoutSecrets; pino's own would add every field of the error again.
    serializers: { err: value => value as unknown },
    hooks: {
      // pino would take the message of a lone error as the line's text, uncut.
      logMethod(args, method) {
        if (args.length === 1 && typeof args[0] === 'object') method.apply(this, [args[0], '']);
        else method.apply(this, args);
      },
    },
    mixin: () => {
      const requestId = requests.getStore();
      return requestId === undefined ? {} : { requestId };
    },
  }, options.destination ?? pino.destination({ dest: 1, sync: true }));
}

/** A room's or provider's way to log; `room` is in every line. */
export function logOf(logger: Logger, room: string): Log {
  const child = logger.child({ room });
  return (level, message, fields = {}) => child[level](fields, message);
}

export { describeError };
