import 'reflect-metadata';
import { ConfigError, EXIT_CONFIG, loadConfig } from './config';
import { createLogger, type Logger } from './logging';
import { startApp, type App } from './app';
import { TIME_LIMITS } from './time-limits';
import { renderBanner } from './banner';

async function main(): Promise<void> {
  const config = loadConfig(process.env);
  // A person reads the first run: the banner informs, and the log has only warnings and errors.
  const logger = createLogger({
    level: process.env.LOG_LEVEL === undefined && process.stdout.isTTY && config.example ? 'warn' : config.logLevel,
  });
  const starting = startApp(config, logger);
  // Before the start completes, so that a signal during the start stops the process like any other.
  stopOnSignals(starting, logger, config.stopGraceMs);
  const app = await starting;
  for (const notice of config.notices) logger.info(notice);
  logger.info({ url: app.url }, 'serving');
  process.stdout.write(renderBanner(app, config));
}

/**
 * Stops on signals. After SIGTERM, calls are still accepted for a while, because senders learn of it later; not after
 * Ctrl+C.
 */
function stopOnSignals(starting: Promise<App>, logger: Logger, graceMs: number): void {
  let isStopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (isStopping) return;
    isStopping = true;
    logger.info({ signal }, 'stopping');
    setTimeout(() => {
      logger.error('the stop took too long; remaining leases expire on their own');
      process.exit(1);
    }, TIME_LIMITS.stop.exitMs).unref();
    // A failed start ends the process itself.
    void starting
      .then(app => app.stop(signal === 'SIGTERM' ? graceMs : 0))
      .then(
        () => process.exit(0),
        () => undefined,
      );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

main().catch((error: unknown) => {
  const isConfig = error instanceof ConfigError;
  process.stderr.write(
    isConfig
      ? `${error.message}\n`
      : `The service could not start: ${error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exit(isConfig ? EXIT_CONFIG : 1);
});
