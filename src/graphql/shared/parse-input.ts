import { InvalidInputError } from '../../core/errors';
import type { DeepPartial } from '../../core/flows/api/setup';
import type { Attachment } from '../../core/message';
import type { HandoffFilter } from '../../core/ports/handoff-store';
import type { Page, PageRequest } from '../../core/ports/page';
import type { EndUser } from '../../core/session';
import type { SupportPolicy } from '../../core/setup';
import { DEFAULT_PAGE_SIZE, MAX_LIST_SIZE, MAX_PAGE_SIZE } from '../cost/list-size';
import type { HandoffFilterInput, SupportAttachmentInput, SupportEndUserInput } from '../runtime/inputs';
import type { SupportPolicyInput } from '../setup/inputs';

/** Converts GraphQL inputs to those of the core. The only place that distinguishes an absent value from null. */

/** Arguments of the lists that `partOf` slices. */
export const FIRST = {
  nullable: true,
  description: '1 to 1000. If omitted: all items; a list with more than 1000 is refused.',
} as const;
export const AFTER = { nullable: true, description: 'The id of the last item received.' } as const;

/** @throws InvalidInputError INPUT_INVALID */
export function pageRequest(first: number | null | undefined, after: string | null | undefined): PageRequest {
  return { first: validateFirst(first), after: after ?? null };
}

export function validateFirst(first: number | null | undefined): number {
  const wanted = first ?? DEFAULT_PAGE_SIZE;
  if (wanted < 1 || wanted > MAX_PAGE_SIZE)
    throw new InvalidInputError(
      'INPUT_INVALID',
      'first',
      `first is ${wanted}; ask for 1 to ${MAX_PAGE_SIZE} and page on with after.`,
    );
  return wanted;
}

/**
 * Returns a slice of a list that is short in most organizations and is loaded completely. Without `first`: the rest of
 * the list, which is refused if it is longer than one call may return.
 * @param after the id of the last item of the previous slice
 * @throws InvalidInputError INPUT_INVALID | CURSOR_INVALID
 */
export function sliceList<T extends { readonly id: string }>(
  items: readonly T[],
  first: number | null | undefined,
  after: string | null | undefined,
): readonly T[] {
  if (first != null && (first < 1 || first > MAX_LIST_SIZE))
    throw new InvalidInputError(
      'INPUT_INVALID',
      'first',
      `first is ${first}; ask for 1 to ${MAX_LIST_SIZE} and page on with after.`,
    );
  const start = after == null ? 0 : items.findIndex(({ id }) => id === after) + 1;
  if (after != null && start === 0)
    throw new InvalidInputError(
      'CURSOR_INVALID',
      'after',
      'after is not the id of an item of this list; start again without it.',
    );
  if (first == null && items.length - start > MAX_LIST_SIZE)
    throw new InvalidInputError(
      'INPUT_INVALID',
      'first',
      `The list has ${items.length - start} items; ask for at most ${MAX_LIST_SIZE} with first, and page on with after, the id of the last one.`,
    );
  return items.slice(start, start + (first ?? MAX_LIST_SIZE));
}

export function toConnection<T, V>(page: Page<T>, request: PageRequest, view: (node: T) => V): object {
  const edges = page.edges.map(({ node, cursor }) => ({ node: view(node), cursor }));
  return {
    edges,
    nodes: edges.map(edge => edge.node),
    pageInfo: {
      hasNextPage: page.hasNextPage,
      // Pages only go forward: earlier items exist exactly if the page was requested with a cursor.
      hasPreviousPage: request.after !== null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

/** @throws InvalidInputError INPUT_INVALID unless it is a JSON object */
export function parseObject(value: unknown, field: string): Readonly<Record<string, unknown>> {
  if (value === null || value === undefined) return {};
  if (typeof value !== 'object' || Array.isArray(value))
    throw new InvalidInputError('INPUT_INVALID', field, `${field} is not a JSON object; give one, or omit it.`);
  return value as Record<string, unknown>;
}

/** @throws InvalidInputError INPUT_INVALID unless it is a JSON object whose values are strings */
export function parseTexts(value: unknown, field: string): Readonly<Record<string, string>> {
  const object = parseObject(value, field);
  const wrong = Object.keys(object).find(key => typeof object[key] !== 'string');
  if (wrong !== undefined)
    throw new InvalidInputError('INPUT_INVALID', `${field}.${wrong}`, `${field}.${wrong} is not a string; give one.`);
  return object as Record<string, string>;
}

/** Converts a DateTime of an input to the core's format; null if it is not given. */
export const parseInstant = (given: unknown): string | null =>
  given == null ? null : new Date(given as string | Date).toISOString();

/** Returns an empty object if it is not given, so that the digest of such an input stays as in earlier versions. */
export const saidAtOf = (given: unknown): { readonly saidAt?: string } =>
  given == null ? {} : { saidAt: parseInstant(given)! };

export const attachmentsOf = (given: readonly SupportAttachmentInput[] | null | undefined): readonly Attachment[] =>
  (given ?? []).map(({ url, name, contentType, sizeBytes }) => ({
    url,
    name,
    contentType,
    sizeBytes: sizeBytes ?? null,
  }));

export function endUserOf(given: SupportEndUserInput | null | undefined): Partial<EndUser> {
  if (!given) return {};
  const { attributes, ...texts } = given;
  return {
    ...dropUndefined(texts),
    ...(attributes == null ? {} : { attributes: parseTexts(attributes, 'endUser.attributes') }),
  };
}

export function policyOf(given: SupportPolicyInput | null | undefined): DeepPartial<SupportPolicy> {
  return {
    ...(given?.whileWaiting ? { whileWaiting: given.whileWaiting } : {}),
    ...(given?.mirroring ? { mirroring: given.mirroring } : {}),
    ...(given?.onDeadLetter ? { onDeadLetter: given.onDeadLetter } : {}),
    ...(given?.automaticReplies ? { automaticReplies: given.automaticReplies } : {}),
    ...(given?.lostConversation ? { lostConversation: given.lostConversation } : {}),
    ...(given?.lines ? { lines: dropUndefined(given.lines) } : {}),
  };
}

export const filterOf = (given: HandoffFilterInput | null | undefined): HandoffFilter => ({
  chatbotIds: given?.chatbotIds ?? null,
  states: given?.states ?? null,
  live: given?.live ?? null,
  teamIds: given?.teamIds ?? null,
  sessionId: given?.sessionId ?? null,
});

/** Copies an object without its undefined values. */
const dropUndefined = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as T;
