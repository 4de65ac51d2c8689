import { groupBySession } from './session-evidence';
import type { Disruption } from './chaos';
import { COLUMNS, type Finding } from './check-evidence';
import type { Evidence } from './evidence';
import type { Fault } from './faults';

/** The activity of a run. */
export interface Tally {
  readonly sessions: number;
  readonly handoffs: number;
  readonly takeovers: number;
  readonly ended: Readonly<Record<string, number>>;
  readonly endUserMessages: number;
  readonly botMessages: number;
  readonly botMessagesRefused: number;
  readonly suggestions: number;
  readonly agentMessages: number;
  readonly notes: number;
  readonly deliveries: number;
  readonly repeats: number;
  readonly parked: number;
  readonly unanswered: number;
}

export interface Verdict {
  readonly seed: number;
  readonly seconds: number;
  readonly remote: string;
  readonly services: number;
  readonly findings: readonly Finding[];
  readonly tally: Tally;
  readonly faults: readonly { readonly hop: string; readonly counts: Readonly<Partial<Record<Fault, number>>> }[];
  readonly disruptions: Readonly<Partial<Record<Disruption, number>>>;
  /** Pending work did not finish in time. */
  readonly isLate: boolean;
}

export const isClean = ({ findings, isLate }: Pick<Verdict, 'findings' | 'isLate'>): boolean =>
  findings.length === 0 && !isLate;

export function tallyOf(evidence: Evidence): Tally {
  const cases = groupBySession(evidence);
  const sum = (of: (one: (typeof cases)[number]) => number) => cases.reduce((total, one) => total + of(one), 0);
  const messages = cases.flatMap(one => one.messages);
  const answered = messages.filter(({ answer }) => answer?.refused === null);
  const lines = cases.flatMap(one => one.lines);
  const requested = new Set(
    evidence.log.flatMap(entry => (entry.kind === 'answered' && entry.handoffId !== null ? [entry.handoffId] : [])),
  );
  const moved = new Set(evidence.received.flatMap(({ notice }) => (notice.kind === 'state' ? [notice.handoffId] : [])));
  const ended: Record<string, number> = {};
  for (const { received } of cases)
    for (const { notice } of received)
      if (notice.kind === 'outcome')
        ended[notice.reason ?? notice.state] = (ended[notice.reason ?? notice.state] ?? 0) + 1;
  return {
    sessions: cases.length,
    handoffs: new Set([...requested, ...moved]).size,
    takeovers: [...moved].filter(id => !requested.has(id)).length,
    ended,
    endUserMessages: answered.filter(({ by }) => by === 'user').length,
    botMessages: answered.filter(({ by, answer }) => by === 'bot' && answer!.delivered === true).length,
    suggestions: answered.filter(({ by, answer }) => by === 'bot' && answer!.delivered === false).length,
    botMessagesRefused: messages.filter(({ by, answer }) => by === 'bot' && answer !== null && answer.refused !== null)
      .length,
    agentMessages: lines.filter(({ by, isPrivate }) => by === 'agent' && !isPrivate).length,
    notes: lines.filter(({ by, isPrivate }) => by === 'agent' && isPrivate).length,
    deliveries: sum(({ received }) => received.length),
    repeats: sum(({ raw, received }) => raw.length - received.length),
    parked: sum(({ final }) => final?.pending.parked ?? 0),
    unanswered: evidence.log.filter(({ kind }) => kind === 'unanswered').length,
  };
}

export const renderColumns = (findings: readonly Finding[]): string =>
  COLUMNS.map(column => `${column} ${findings.filter(one => one.column === column).length}`).join(' · ');

const MOST_SHOWN = 40;

export function renderFindings(findings: readonly Finding[]): string {
  const lines = findings
    .slice(0, MOST_SHOWN)
    .map(
      ({ column, session, what }) =>
        `  ${column}, ${session === null ? 'the whole run' : `session ${session}`}: ${what}`,
    );
  return [...lines, ...(findings.length > MOST_SHOWN ? [`  … and ${findings.length - MOST_SHOWN} more`] : [])].join(
    '\n',
  );
}

export function renderTally(tally: Tally): string {
  const counts = (all: Readonly<Record<string, number>>) =>
    Object.entries(all)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, count]) => `${name} ${count}`)
      .join(', ');
  return [
    `  ${tally.sessions} sessions, ${tally.handoffs} handoffs (${tally.takeovers} taken by agents); ended: ${counts(tally.ended) || 'none'}`,
    `  to the agents: ${tally.endUserMessages} messages of end-users, ${tally.botMessages} of bots, ${tally.suggestions} suggestions; refused: ${tally.botMessagesRefused}`,
    `  from the agents: ${tally.agentMessages} messages, ${tally.notes} notes; received: ${tally.deliveries} deliveries, ${tally.repeats} of them again`,
    ...(tally.parked + tally.unanswered > 0
      ? [`  parked as dead letters: ${tally.parked}; calls without a response: ${tally.unanswered}`]
      : []),
  ].join('\n');
}

export function renderVerdict(verdict: Verdict): string {
  const { seed, seconds, remote, services, findings, tally, faults, disruptions, isLate } = verdict;
  return [
    `Seed ${seed}: ${Math.round(seconds / 6) / 10} minutes, ${services} service processes, ${remote}`,
    renderTally(tally),
    `  disruptions: ${Object.entries(disruptions)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')}`,
    ...faults.map(
      ({ hop, counts }) =>
        `  ${hop}: ${
          Object.entries(counts)
            .map(([name, count]) => `${name} ${count}`)
            .join(', ') || 'no faults'
        }`,
    ),
    ...(isLate ? ['  Pending work did not finish in time.'] : []),
    ...(findings.length > 0 ? [renderFindings(findings)] : []),
    `${isClean(verdict) ? 'Verdict' : 'VERDICT'}: ${renderColumns(findings)}`,
  ].join('\n');
}
