import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { parse } from 'graphql';
import type { SupportClient } from '../../examples/support-client';
import type { DeadLetter, LateMessage, Move } from './evidence';
import type { RunRecord } from './record';
import type { SessionActor } from './session-actor';

interface Letter {
  readonly destination: string;
  readonly kind: string;
  readonly code: string;
  readonly session: { readonly externalId: string };
}
interface Event {
  readonly __typename: string;
  readonly seq: number;
  readonly from?: string | null;
  readonly to?: string;
  readonly author?: string;
  readonly message?: { readonly id: string } | null;
  readonly handoff: { readonly id: string } | null;
}
interface HandoffHistory {
  readonly moves: readonly Move[];
  readonly lateMessages: readonly LateMessage[];
}
const OVER = ['ENDED', 'REJECTED', 'FAILED'];

const DeadLetters = parse(`query TortureDeadLetters($state: SupportDeadLetterState!, $after: String) {
  supportDeadLetters(state: $state, first: 100, after: $after) { nodes { destination kind code session { externalId } } pageInfo { hasNextPage endCursor } }
}`) as TypedDocumentNode<
  { supportDeadLetters: { nodes: readonly Letter[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } } },
  { state: DeadLetter['state']; after: string | null }
>;

const Events = parse(`query TortureEvents($sessionId: ID!, $after: Int) {
  supportSession(id: $sessionId) { events(first: 100, after: $after) { __typename seq handoff { id } ... on SupportHandoffChanged { from to } ... on SupportMessageRecorded { author message { id } } } }
}`) as TypedDocumentNode<
  { supportSession: { events: readonly Event[] } | null },
  { sessionId: string; after: number | null }
>;

/** Reads the service's final state as an operator: parked deliveries, and each session's handoffs. */
export class Operator {
  constructor(
    private readonly client: SupportClient,
    private readonly record: RunRecord,
  ) {}

  /** @returns whether everything was read; then it is in the log */
  async inspect(actors: readonly Pick<SessionActor, 'name' | 'sessionId'>[]): Promise<boolean> {
    const { record } = this;
    try {
      for (const { name, sessionId } of actors)
        record.add({ kind: 'moves', session: name, ...(await this.readHistory(sessionId)) });
      record.add({
        kind: 'deadLetters',
        deadLetters: [...(await this.listDeadLetters('PARKED')), ...(await this.listDeadLetters('DISCARDED'))],
      });
      return true;
    } catch {
      // Retried in a moment; what is never read is a finding.
      return false;
    }
  }

  close(): Promise<void> {
    return this.client.close();
  }

  private async listDeadLetters(state: DeadLetter['state']): Promise<readonly DeadLetter[]> {
    const found: DeadLetter[] = [];
    for (let after: string | null = null; ; ) {
      const {
        nodes,
        pageInfo,
      }: { nodes: readonly Letter[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } } = (
        await this.client.call(DeadLetters, { state, after })
      ).supportDeadLetters;
      found.push(
        ...nodes.map(({ destination, kind, code, session }) => ({
          session: session.externalId,
          state,
          destination,
          what: kind,
          code,
        })),
      );
      if (!pageInfo.hasNextPage) return found;
      after = pageInfo.endCursor;
    }
  }

  private async readHistory(sessionId: string): Promise<HandoffHistory> {
    const moves: Move[] = [];
    const lateWords: LateMessage[] = [];
    const over = new Set<string>();
    for (let after: number | null = null; ; ) {
      const { supportSession }: { supportSession: { events: readonly Event[] } | null } = await this.client.call(
        Events,
        { sessionId, after },
      );
      const events: readonly Event[] = supportSession?.events ?? [];
      for (const { __typename: type, from, to, author, message, handoff } of events) {
        if (type === 'SupportHandoffChanged') moves.push({ handoffId: handoff!.id, from: from ?? null, to: to! });
        if (type === 'SupportHandoffChanged' && OVER.includes(to!)) over.add(handoff!.id);
        if (author === 'AGENT' && message && handoff && over.has(handoff.id))
          lateWords.push({ messageId: message.id, handoffId: handoff.id });
      }
      const last = events.at(-1);
      if (last === undefined) return { moves, lateMessages: lateWords };
      after = last.seq;
    }
  }
}
