import { json, refuse, text, type Reply } from '../http/replies';

/**
 * How a matching request fails. `status:<n>` returns that status without any effect; `hang` never responds;
 * `cutBeforeApply` closes the connection without any effect; `applyThenCut` executes the request, then closes the
 * connection; `applyThen500` executes it and returns 500; `slow` executes it `latencyMs` later.
 */
export type FaultMode = `status:${number}` | 'hang' | 'cutBeforeApply' | 'applyThenCut' | 'applyThen500' | 'slow';

export interface FaultMatch {
  method?: string;
  /** A part of the path (query included), or a pattern for it. */
  path?: string | RegExp;
}

export interface Fault {
  match?: FaultMatch;
  /** How many requests. If omitted, 1. */
  times?: number;
  mode?: FaultMode;
  latencyMs?: number;
  /** The body of a `status:<n>` response. If omitted, Chatwoot's usual one. */
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

  /** Shifts the next message's time by `ms`. Ids still ascend. */
  skewNextMessage(ms: number): void {
    this.timeSkewMs = ms;
  }

  takeTimeSkew(): number {
    const skew = this.timeSkewMs;
    this.timeSkewMs = 0;
    return skew;
  }

  take(method: string, path: string): Fault | undefined {
    const rule = this.rules.find(candidate => candidate.left > 0 && applies(candidate.match, method, path));
    if (rule) rule.left--;
    return rule;
  }
}

function applies(match: FaultMatch | undefined, method: string, path: string): boolean {
  if (match?.method !== undefined && match.method.toUpperCase() !== method) return false;
  if (match?.path === undefined) return true;
  return typeof match.path === 'string' ? path.includes(match.path) : match.path.test(path);
}

/** Returns the response of Chatwoot, or of a proxy in front of it, with this status. */
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
