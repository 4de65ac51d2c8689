import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { printSchema } from 'graphql';
import type { Flows } from '../src/core/flows/api';
import type { Stores } from '../src/core/ports/stores';
import { buildApiSchema, buildSupportSchema, printSubgraphSchema } from '../src/graphql';

const FIRST_LINE = '# Emitted from src/graphql by `npm run schema`. Never edited by hand.\n\n';

/**
 * Returns the two files under schema/ as the code would write them. Nothing is resolved, so the resolvers' dependencies
 * may be empty.
 */
async function emittedSchemas(): Promise<Readonly<Record<string, string>>> {
  const deps = { flows: {} as Flows, stores: {} as Stores };
  return {
    'support.graphql': `${FIRST_LINE}${printSchema(await buildApiSchema(deps))}\n`,
    'support.subgraph.graphql': `${FIRST_LINE}${(await printSubgraphSchema(await buildSupportSchema(deps))).trim()}\n`,
  };
}

/** Writes the files. With `--check` writes nothing, and exits with 1 if a committed file differs. */
async function main(): Promise<void> {
  const folder = path.join(process.cwd(), 'schema');
  for (const [name, text] of Object.entries(await emittedSchemas())) {
    const file = path.join(folder, name);
    if (!process.argv.includes('--check')) {
      writeFileSync(file, text);
    } else if (committed(file) !== text) {
      console.error(`schema/${name} differs from what the code emits; run \`npm run schema\` and commit the result.`);
      process.exitCode = 1;
    }
  }
}

function committed(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

if (require.main === module) void main();
