import { InvalidInputError } from '../../core/errors';
import type { DeepPartial } from '../../core/flows/api';
import type { Attachment } from '../../core/message';
import type { HandoffFilter, Page, PageRequest } from '../../core/ports/stores';
import type { EndUser } from '../../core/session';
import type { SupportPolicy } from '../../core/setup';
import { DEFAULT_PAGE, MAX_LIST, MAX_PAGE } from '../cost/list-size';
import type { HandoffFilterInput, SupportAttachmentInput, SupportEndUserInput } from '../types/runtime-inputs';
import type { SupportPolicyInput } from '../types/setup-inputs';

/** From GraphQL's words to the core's: absent and null are told apart here and nowhere else. */


/** The arguments of lists that partOf cuts. */
export const FIRST = { nullable: true, description: '1 to 1000. If omitted: all of them; a list that has more is refused.' } as const;
export const AFTER = { nullable: true, description: 'The id of the last item that you have.' } as const;

/** @throws InvalidInputError INPUT_INVALID */
export function pageRequest(first: number | null | undefined, after: string | null | undefined): PageRequest {
  return { first: checkedFirst(first), after: after ?? null };
}

export function checkedFirst(first: number | null | undefined): number {
  const wanted = first ?? DEFAULT_PAGE;
  if (wanted < 1 || wanted > MAX_PAGE)
    throw new InvalidInputError('INPUT_INVALID', 'first', `first is ${wanted}; ask for 1 to ${MAX_PAGE} and page on with after.`);
  return wanted;
}

/**
 * A part of a list that is short in most organizations and is read whole: all of it without `first`, unless it is longer
 * than one call may get.
 * @param after the id of the last item of the part before
 * @throws InvalidInputError INPUT_INVALID | CURSOR_INVALID
 */
export function partOf<T extends { readonly id: string }>(items: readonly T[], first: number | null | undefined, after: string | null | undefined): readonly T[] {
  if (first != null && (first < 1 || first > MAX_LIST))
    throw new InvalidInputError('INPUT_INVALID', 'first', `first is ${first}; ask for 1 to ${MAX_LIST} and page on with after.`);
  const start = after == null ? 0 : items.findIndex(({ id }) => id === after) + 1;
  if (after != null && start === 0)
    throw new InvalidInputError('CURSOR_INVALID', 'after', 'after is not the id of an item of this list; start again without it.');
  if (first == null && items.length - start > MAX_LIST)
    throw new InvalidInputError('INPUT_INVALID', 'first', `The list has ${items.length - start} items; ask for at most ${MAX_LIST} with first, and page on with after, the id of the last one.`);
  return items.slice(start, start + (first ?? MAX_LIST));
}

export function connection<T, V>(page: Page<T>, request: PageRequest, view: (node: T) => V): object {
  const edges = page.edges.map(({ node, cursor }) => ({ node: view(node), cursor }));
  return {
    edges,
    nodes: edges.map((edge) => edge.node),
    pageInfo: {
      hasNextPage: page.hasNextPage,
      // Pages only go forward: something lies before a page exactly when it was asked for with a cursor.
      hasPreviousPage: request.after !== null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

/** @throws InvalidInputError INPUT_INVALID unless it is a JSON object */
export function objectOf(value: unknown, field: string): Readonly<Record<string, unknown>> {
  if (value === null || value === undefined) return {};
  if (typeof value !== 'object' || Array.isArray(value))
    throw new InvalidInputError('INPUT_INVALID', field, `${field} must be a JSON object.`);
  return value as Record<string, unknown>;
}

/** @throws InvalidInputError INPUT_INVALID unless it is a JSON object of texts */
export function textsOf(value: unknown, field: string): Readonly<Record<string, string>> {
  const object = objectOf(value, field);
  const wrong = Object.keys(object).find((key) => typeof object[key] !== 'string');
  if (wrong !== undefined) throw new InvalidInputError('INPUT_INVALID', `${field}.${wrong}`, `${field}.${wrong} must be a text.`);
  return object as Record<string, string>;
}

/** A DateTime of an input, as the core has times; null when it is not given. */
export const instantIn = (given: unknown): string | null => (given == null ? null : new Date(given as string | Date).toISOString());

/** Absent when it is not given, so that the digest of an input without it stays what it was. */
export const saidAtOf = (given: unknown): { readonly saidAt?: string } => (given == null ? {} : { saidAt: instantIn(given)! });

export const attachmentsOf = (given: readonly SupportAttachmentInput[] | null | undefined): readonly Attachment[] =>
  (given ?? []).map(({ url, name, contentType, sizeBytes }) => ({ url, name, contentType, sizeBytes: sizeBytes ?? null }));

export function endUserOf(given: SupportEndUserInput | null | undefined): Partial<EndUser> {
  if (!given) return {};
  const { attributes, ...texts } = given;
  return { ...onlyGiven(texts), ...(attributes == null ? {} : { attributes: textsOf(attributes, 'endUser.attributes') }) };
}

export function policyOf(given: SupportPolicyInput | null | undefined): DeepPartial<SupportPolicy> {
  return {
    ...(given?.whileWaiting ? { whileWaiting: given.whileWaiting } : {}),
    ...(given?.mirroring ? { mirroring: given.mirroring } : {}),
    ...(given?.onDeadLetter ? { onDeadLetter: given.onDeadLetter } : {}),
    ...(given?.automaticReplies ? { automaticReplies: given.automaticReplies } : {}),
    ...(given?.lostConversation ? { lostConversation: given.lostConversation } : {}),
    ...(given?.lines ? { lines: onlyGiven(given.lines) } : {}),
  };
}

export const filterOf = (given: HandoffFilterInput | null | undefined): HandoffFilter => ({
  chatbotIds: given?.chatbotIds ?? null,
  states: given?.states ?? null,
  live: given?.live ?? null,
  teamIds: given?.teamIds ?? null,
  sessionId: given?.sessionId ?? null,
});

/** Without the keys that were not given. */
const onlyGiven = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as T;
