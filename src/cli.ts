import { ConfigError, EXIT_CONFIG, loadConfig } from './config';
import { describeSettings } from './config/describe';
import type { Environment } from './config/load';

/** EX_USAGE of sysexits.h. */
const EXIT_USAGE = 64;

export interface CliEnvironment {
  readonly env: Environment;
  out(text: string): void;
  err(text: string): void;
  printSchema(): Promise<string>;
}

interface Command {
  readonly description: string;
  run(environment: CliEnvironment): Promise<void> | void;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  'check-config': {
    description: 'check the settings in the environment and list the effective ones; exits with 78 if one is invalid',
    run({ env, out }) {
      const { notices } = loadConfig(env);
      out(
        ['The settings are valid.', '', describeSettings(env), ...(notices.length > 0 ? ['', ...notices] : [])].join(
          '\n',
        ),
      );
    },
  },
  'print-schema': {
    description: 'print the subgraph schema that composition reads',
    run: async ({ out, printSchema }) => out((await printSchema()).trimEnd()),
  },
  help: {
    description: 'show this help',
    run: ({ out }) => out(usage()),
  },
};

const usage = (): string =>
  [
    'Commands:',
    ...Object.entries(COMMANDS).map(([name, { description }]) => `  ${name.padEnd(14)}${description}`),
  ].join('\n');

/** Runs a command. @returns the exit status */
export async function runCli(args: readonly string[], environment: CliEnvironment): Promise<number> {
  const [given = 'help', ...rest] = args;
  const name = given === '--help' || given === '-h' ? 'help' : given;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined || rest.length > 0) {
    environment.err(
      `${command === undefined ? `Unknown command ${JSON.stringify(given)}.` : `${name} takes no arguments.`}\n${usage()}`,
    );
    return EXIT_USAGE;
  }
  try {
    await command.run(environment);
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    environment.err(error.message);
    return EXIT_CONFIG;
  }
}

if (require.main === module)
  void runCli(process.argv.slice(2), {
    env: process.env,
    out: text => process.stdout.write(`${text}\n`),
    err: text => process.stderr.write(`${text}\n`),
    // Loaded on demand: checking the settings must not load the whole service.
    printSchema: async () => (await import('./app.js')).printSchema(),
  }).then(status => {
    process.exitCode = status;
  });
