import { casesOf } from './case';
import type { Strike } from './chaos';
import { COLUMNS, type Finding } from './checker';
import type { Evidence } from './evidence';
import type { Fault } from './faults';

/** The activity of a run. */
export interface Tally {
  readonly sessions: number;
  readonly handoffs: number;
  readonly takeovers: number;
  readonly ended: Readonly<Record<string, number>>;
  readonly endUserTurns: number;
  readonly botTurns: number;
  readonly botTurnsRefused: number;
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
  readonly far: string;
  readonly services: number;
  readonly findings: readonly Finding[];
  readonly tally: Tally;
  readonly faults: readonly { readonly hop: string; readonly counts: Readonly<Partial<Record<Fault, number>>> }[];
  readonly strikes: Readonly<Partial<Record<Strike, number>>>;
  /** Pending work did not finish in time. */
  readonly late: boolean;
}

export const isClean = ({ findings, late }: Pick<Verdict, 'findings' | 'late'>): boolean => findings.length === 0 && !late;

export function tallyOf(evidence: Evidence): Tally {
  const cases = casesOf(evidence);
  const sum = (of: (one: (typeof cases)[number]) => number) => cases.reduce((total, one) => total + of(one), 0);
  const turns = cases.flatMap((one) => one.turns);
  const answered = turns.filter(({ answer }) => answer?.refused === null);
  const lines = cases.flatMap((one) => one.lines);
  const requested = new Set(evidence.log.flatMap((entry) => (entry.kind === 'answered' && entry.handoffId !== null ? [entry.handoffId] : [])));
  const moved = new Set(evidence.received.flatMap(({ notice }) => (notice.kind === 'state' ? [notice.handoffId] : [])));
  const ended: Record<string, number> = {};
  for (const { received } of cases) for (const { notice } of received) if (notice.kind === 'outcome') ended[notice.reason ?? notice.state] = (ended[notice.reason ?? notice.state] ?? 0) + 1;
  return {
    sessions: cases.length, handoffs: new Set([...requested, ...moved]).size, takeovers: [...moved].filter((id) => !requested.has(id)).length, ended,
    endUserTurns: answered.filter(({ by }) => by === 'user').length,
    botTurns: answered.filter(({ by, answer }) => by === 'bot' && answer!.delivered === true).length,
    suggestions: answered.filter(({ by, answer }) => by === 'bot' && answer!.delivered === false).length,
    botTurnsRefused: turns.filter(({ by, answer }) => by === 'bot' && answer !== null && answer.refused !== null).length,
    agentMessages: lines.filter(({ by, isPrivate }) => by === 'agent' && !isPrivate).length, notes: lines.filter(({ by, isPrivate }) => by === 'agent' && isPrivate).length,
    deliveries: sum(({ received }) => received.length), repeats: sum(({ raw, received }) => raw.length - received.length),
    parked: sum(({ final }) => final?.owed.parked ?? 0), unanswered: evidence.log.filter(({ kind }) => kind === 'unanswered').length,
  };
}

export const columnsOf = (findings: readonly Finding[]): string =>
  COLUMNS.map((column) => `${column} ${findings.filter((one) => one.column === column).length}`).join(' · ');

const MOST_SHOWN = 40;

export function findingsShown(findings: readonly Finding[]): string {
  const lines = findings.slice(0, MOST_SHOWN).map(({ column, session, what }) => `  ${column}, ${session === null ? 'the whole run' : `session ${session}`}: ${what}`);
  return [...lines, ...(findings.length > MOST_SHOWN ? [`  … and ${findings.length - MOST_SHOWN} more`] : [])].join('\n');
}

export function tallyShown(tally: Tally): string {
  const counts = (all: Readonly<Record<string, number>>) => Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => `${name} ${count}`).join(', ');
  return [
    `  ${tally.sessions} sessions, ${tally.handoffs} handoffs (${tally.takeovers} taken by agents); ended: ${counts(tally.ended) || 'none'}`,
    `  to the agents: ${tally.endUserTurns} messages of end-users, ${tally.botTurns} of bots, ${tally.suggestions} suggestions; refused: ${tally.botTurnsRefused}`,
    `  from the agents: ${tally.agentMessages} messages, ${tally.notes} notes; received: ${tally.deliveries} deliveries, ${tally.repeats} of them again`,
    ...(tally.parked + tally.unanswered > 0 ? [`  parked as dead letters: ${tally.parked}; calls without a response: ${tally.unanswered}`] : []),
  ].join('\n');
}

export function verdictShown(verdict: Verdict): string {
  const { seed, seconds, far, services, findings, tally, faults, strikes, late } = verdict;
  return [
    `Seed ${seed}: ${Math.round(seconds / 6) / 10} minutes, ${services} service processes, ${far}`,
    tallyShown(tally),
    `  disruptions: ${Object.entries(strikes).map(([name, count]) => `${name} ${count}`).join(', ')}`,
    ...faults.map(({ hop, counts }) => `  ${hop}: ${Object.entries(counts).map(([name, count]) => `${name} ${count}`).join(', ') || 'no faults'}`),
    ...(late ? ['  Pending work did not finish in time.'] : []),
    ...(findings.length > 0 ? [findingsShown(findings)] : []),
    `${isClean(verdict) ? 'Verdict' : 'VERDICT'}: ${columnsOf(findings)}`,
  ].join('\n');
}
