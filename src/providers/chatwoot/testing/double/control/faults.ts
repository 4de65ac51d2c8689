import { json, refuse, text, type Reply } from '../http/replies';

/**
 * What happens to a matching request instead of the usual:
 * `status:<n>` answers without doing anything; `hang` never answers; `cutBeforeApply` closes the connection
 * without doing anything; `applyThenCut` does everything and then closes it; `applyThen500` does everything
 * and answers 500; `slow` only takes `latencyMs` longer.
 */
export type FaultMode = `status:${number}` | 'hang' | 'cutBeforeApply' | 'applyThenCut' | 'applyThen500' | 'slow';

export interface FaultMatch {
  method?: string;
  /** A piece of the path (query included), or a pattern for it. */
  path?: string | RegExp;
}

export interface Fault {
  match?: FaultMatch;
  /** How many requests; 1 when left out. */
  times?: number;
  mode?: FaultMode;
  latencyMs?: number;
  /** The body of a `status:<n>` answer, when Chatwoot's usual one will not do. */
  body?: unknown;
}

export class Faults {
  private rules: Array<Fault & { left: number }> = [];
  private timeSkewMs = 0;

  failNext(fault: Fault): void {
    this.rules.push({ ...fault, left: fault.times ?? 1 });
  }

  clear(): void {
    this.rules = [];
    this.timeSkewMs = 0;
  }

  /** The next message gets a time so far from the present; ids still rise. */
  skewNextMessage(ms: number): void {
    this.timeSkewMs = ms;
  }

  takeTimeSkew(): number {
    const skew = this.timeSkewMs;
    this.timeSkewMs = 0;
    return skew;
  }

  take(method: string, path: string): Fault | undefined {
    const rule = this.rules.find((candidate) => candidate.left > 0 && applies(candidate.match, method, path));
    if (rule) rule.left--;
    return rule;
  }
}

function applies(match: FaultMatch | undefined, method: string, path: string): boolean {
  if (match?.method !== undefined && match.method.toUpperCase() !== method) return false;
  if (match?.path === undefined) return true;
  return typeof match.path === 'string' ? path.includes(match.path) : match.path.test(path);
}

/** What Chatwoot, or a proxy before it, says with this status. */
export function faultReply(mode: string, body: unknown): Reply {
  const status = Number(mode.slice('status:'.length));
  if (body !== undefined) return json(body, status);
  if (status === 429) return refuse.tooMany().reply;
  if (status === 500) return refuse.crash().reply;
  if (status === 401) return refuse.unknownToken().reply;
  if (status === 404) return refuse.absent().reply;
  if (status > 500) return text(status, `<html><body>${status}</body></html>`);
  return json({ error: 'a fault set by the test' }, status);
}
