import { readFileSync } from 'node:fs';
import path from 'node:path';
import { buildSchema, type GraphQLEnumType, type GraphQLSchema } from 'graphql';

const read = (file: string): string => readFileSync(path.join(__dirname, '..', '..', file), 'utf8');
/** `fields: "id"` and the like are federation's; the rest is plain SDL. */
const schema: GraphQLSchema = buildSchema(read('schema/support.graphql'), { assumeValidSDL: true });
const rootFields = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap(type =>
  Object.keys(type!.getFields()),
);
const codes = (schema.getType('SupportErrorCode') as GraphQLEnumType).getValues().map(({ name }) => name);

/** The rows of the table under a heading, as cells. */
function table(markdown: string, heading: string): readonly (readonly string[])[] {
  const section = markdown.split(/^## /m).find(part => part.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`There is no heading "${heading}".`);
  return section
    .split('\n')
    .filter(line => line.startsWith('| ') && !line.startsWith('| ---'))
    .slice(1)
    .map(line => line.slice(2, -2).split(/ \| /));
}
/** The prefixes of our calls; everything with such a prefix must be a call. */
const CALL =
  /^(support[A-Z]|openSupport|recordEnd|sendBot|requestHand|cancelHand|endHand|closeSupport|enable[A-Z]|acknowledge|refreshSupport|conversationS|handoffs|handoffC)/;
const named = (cell: string): readonly string[] => [...cell.matchAll(/`(\w+)/g)].map(([, name]) => name!);

describe('docs/runtime.md', () => {
  const page = read('docs/runtime.md');

  it('names calls that the schema has', () => {
    const calls = table(page, 'The calls').flatMap(([call]) => named(call!));
    expect(calls.length).toBeGreaterThan(8);
    expect(calls.filter(call => !rootFields.includes(call))).toEqual([]);
  });

  it('has a row for each notification that can be in the inbox', () => {
    const possible = schema
      .getPossibleTypes(schema.getType('SupportRuntimeNotice') as never)
      .map(({ name }) => name)
      .sort();
    expect(
      table(page, 'The runtime inbox')
        .map(([notice]) => named(notice!)[0])
        .sort(),
    ).toEqual(possible);
  });

  it('names error codes that the schema has', () => {
    const shown = table(page, 'Errors').flatMap(([code]) => named(code!));
    expect(shown.length).toBeGreaterThan(8);
    expect(shown.filter(code => !codes.includes(code))).toEqual([]);
  });
});

describe('docs/moving-from.md', () => {
  const page = read('docs/moving-from.md');
  const mapped = (heading: string) => table(page, heading);

  it("maps every verb of OpenCUI's ISupport", () => {
    const verbs = mapped("From OpenCUI's `ISupport`").flatMap(([verb]) => named(verb!));
    expect(verbs).toEqual(
      expect.arrayContaining([
        'name',
        'info',
        'isInitiated',
        'initSession',
        'postBotMessage',
        'postVisitorMessage',
        'handOff',
        'close',
      ]),
    );
  });

  it("maps every action and event of Botpress's hitl", () => {
    const verbs = mapped("From Botpress's `hitl`").flatMap(([verb]) => named(verb!));
    expect(verbs).toEqual(
      expect.arrayContaining(['createUser', 'startHitl', 'stopHitl', 'hitlAssigned', 'hitlStopped']),
    );
  });

  it.each(["From OpenCUI's `ISupport`", "From Botpress's `hitl`"])(
    'maps them to calls that the schema has: %s',
    heading => {
      const calls = mapped(heading)
        .flatMap(([, ours]) => named(ours!))
        .filter(name => CALL.test(name));
      expect(calls.length).toBeGreaterThan(5);
      expect(calls.filter(call => !rootFields.includes(call))).toEqual([]);
    },
  );
});
