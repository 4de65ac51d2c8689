import { AsyncLocalStorage } from 'node:async_hooks';
import { pino, type DestinationStream, type Logger } from 'pino';
import type { ProviderHost } from './core/ports/provider/definition';
import { describeError } from './logging/describe-error';
import { redactFields } from './logging/redact-fields';

export type { Logger } from 'pino';

/** The log function of modules; the same signature as for providers. */
export type Log = ProviderHost['log'];

const requests = new AsyncLocalStorage<string>();

/** Adds the request's id to every log line of `work` and of everything that it starts. */
export const withRequestId = <T>(requestId: string, work: () => T): T => requests.run(requestId, work);

/**
 * Creates a logger that writes one JSON object per line to standard output. Removes secrets and message text by field
 * name, and reduces errors to parts without either; so a careless call loses detail but leaks nothing.
 */
export function createLogger(options: { readonly level: string; readonly destination?: DestinationStream }): Logger {
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }), log: redactFields },
      // withoutSecrets has described errors already; pino's own serializer would add all of their fields again.
      serializers: { err: value => value as unknown },
      hooks: {
        // For a single error argument, pino would use its unredacted message as the line's text.
        logMethod(args, method) {
          if (args.length === 1 && typeof args[0] === 'object') method.apply(this, [args[0], '']);
          else method.apply(this, args);
        },
      },
      mixin: () => {
        const requestId = requests.getStore();
        return requestId === undefined ? {} : { requestId };
      },
    },
    options.destination ?? pino.destination({ dest: 1, sync: true }),
  );
}

/** Creates the log function of a module or provider; every line has `room`. */
export function createRoomLog(logger: Logger, room: string): Log {
  const child = logger.child({ room });
  return (level, message, fields = {}) => child[level](fields, message);
}

export { describeError };
