import 'reflect-metadata';
import { ConfigError, EXIT_CONFIG, loadConfig } from './config';
import { createLogger, type Logger } from './logging';
import { startApp, type App } from './app';
import { TIME_LIMITS } from './time-limits';
import { welcome } from './welcome';

async function main(): Promise<void> {
  const config = loadConfig(process.env);
  // A first run is read by a person: the banner speaks, the log only when something is wrong.
  const logger = createLogger({ level: process.env.LOG_LEVEL === undefined && process.stdout.isTTY && config.example ? 'warn' : config.logLevel });
  const starting = startApp(config, logger);
  // Before anybody can ask: a signal that comes while it starts is a stop like any other.
  stopOnSignals(starting, logger, config.stopGraceMs);
  const app = await starting;
  for (const notice of config.notices) logger.info(notice);
  logger.info({ url: app.url }, 'serving');
  process.stdout.write(welcome(app, config));
}

/** A supervisor's SIGTERM comes before others know: for a while calls still come. Ctrl+C is a person who waits. */
function stopOnSignals(starting: Promise<App>, logger: Logger, graceMs: number): void {
  let isStopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (isStopping) return;
    isStopping = true;
    logger.info({ signal }, 'stopping');
    setTimeout(() => { logger.error('the stop took too long; leases that are left come back by themselves'); process.exit(1); }, TIME_LIMITS.stop.exitMs).unref();
    // A start that fails ends the process by itself.
    void starting.then(app => app.stop(signal === 'SIGTERM' ? graceMs : 0)).then(() => process.exit(0), () => undefined);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

main().catch((error: unknown) => {
  const isConfig = error instanceof ConfigError;
  process.stderr.write(isConfig ? `${error.message}\n` : `The service could not start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(isConfig ? EXIT_CONFIG : 1);
});
