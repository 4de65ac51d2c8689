import 'reflect-metadata';
import { ConfigError, EXIT_CONFIG, loadConfig } from './config';
import { createLogger, type Logger } from './logging';
import { startApp, type App } from './app';
import { welcome } from './welcome';

/** The server drains within 20 s; this is the last word. */
const EXIT_WITHIN_MS = 25_000;

async function main(): Promise<void> {
  const config = loadConfig(process.env);
  // A first run is read by a person: the banner speaks, the log only when something is wrong.
  const logger = createLogger({ level: process.env.LOG_LEVEL === undefined && process.stdout.isTTY && config.example ? 'warn' : config.logLevel });
  const app = await startApp(config, logger);
  for (const notice of config.notices) logger.info(notice);
  logger.info({ url: app.url }, 'serving');
  process.stdout.write(welcome(app, config));
  stopOnSignals(app, logger);
}

function stopOnSignals(app: App, logger: Logger): void {
  let isStopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (isStopping) return;
    isStopping = true;
    logger.info({ signal }, 'stopping');
    setTimeout(() => { logger.error('the stop took too long; leases that are left come back by themselves'); process.exit(1); }, EXIT_WITHIN_MS).unref();
    void app.stop().then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

main().catch((error: unknown) => {
  const isConfig = error instanceof ConfigError;
  process.stderr.write(isConfig ? `${error.message}\n` : `The service could not start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(isConfig ? EXIT_CONFIG : 1);
});
