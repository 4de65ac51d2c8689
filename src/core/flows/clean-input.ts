import { cleanText, isCleanText } from '../checks/text';
import { InvalidInputError } from '../errors';
import type { Flows } from './api';

/**
 * `text`: for people to read. `compared`: an id or the like, which one changed character would make a different one.
 * `named`: decided by the names of its fields.
 */
type TextKind = 'text' | 'compared' | 'named';

const COMPARED_FIELDS =
  /(Id|Ids|Key)$|^(id|ids|after|baseUrl|channel|credentials|cursor|pictureUrl|provider|replyTo|target|url)$/;
/** Objects whose entries are named by the caller. */
const CALLER_NAMED_FIELDS = /^(attributes|fields|settings)$/;

const textKindOf = (name: string): TextKind =>
  COMPARED_FIELDS.test(name) ? 'compared' : CALLER_NAMED_FIELDS.test(name) ? 'text' : 'named';

/**
 * Makes every text of an input storable. Called once for each flow, before it gets its input. Removes NUL, and writes
 * U+FFFD for each lone half of a surrogate pair, also in names of JSON entries.
 * @throws InvalidInputError INPUT_INVALID naming the field if an id, key, cursor, address or secret contains one of
 * them
 */
export function cleanInput<T>(input: T, field = '', kind: TextKind = 'named'): T {
  if (typeof input === 'string') return (kind === 'compared' ? requireUnchanged(input, field) : cleanText(input)) as T;
  if (Array.isArray(input)) return input.map((one: unknown, at) => cleanInput(one, `${field}.${at}`, kind)) as T;
  if (input === null || typeof input !== 'object') return input;
  return Object.fromEntries(
    Object.entries(input).map(([name, value]: [string, unknown]) => [
      cleanText(name),
      cleanInput(
        value,
        field === '' ? name : `${field}.${cleanText(name)}`,
        kind === 'named' ? textKindOf(name) : kind,
      ),
    ]),
  ) as T;
}

function requireUnchanged(text: string, field: string): string {
  if (isCleanText(text)) return text;
  throw new InvalidInputError(
    'INPUT_INVALID',
    field,
    `${field} contains a NUL character or half of a surrogate pair. Send it without.`,
  );
}

/** The names of arguments that are not input objects, in their order. */
const ARGUMENTS: Readonly<Partial<Record<keyof Flows, readonly [name: string, kind?: TextKind][]>>> = {
  acknowledge: [['ids']],
  explain: [['sessionId']],
  discardDeadLetters: [[''], ['reason']],
  updatePolicy: [['chatbotId'], ['policy']],
  refreshDirectory: [['accountId']],
  inspectDrift: [['accountId']],
  repairDrift: [['accountId'], ['items', 'compared']],
  disableSupport: [['accountId']],
  disableChatbot: [['chatbotId']],
  linkAgent: [['agentId'], ['userId']],
  linkAgentByEmail: [['email', 'compared'], ['userId']],
  enableEndpoint: [['endpointId']],
  disableEndpoint: [['endpointId']],
  removeEndpoint: [['endpointId']],
};

/** Returns the same flows, each with `cleanInput` before it. */
export function withCleanInput(flows: Flows): Flows {
  const wrapped = Object.entries(flows).map(([name, flow]) => {
    const known = ARGUMENTS[name as keyof Flows] ?? [];
    const clean = (given: unknown, at: number) => {
      const [field = '', kind = textKindOf(field)] = known[at] ?? [];
      return cleanInput(given, field, kind);
    };
    return [
      name,
      async (scope: unknown, ...given: readonly unknown[]): Promise<unknown> =>
        (flow as (...all: readonly unknown[]) => Promise<unknown>)(scope, ...given.map(clean)),
    ];
  });
  return Object.fromEntries(wrapped);
}
