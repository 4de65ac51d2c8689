import type { Call } from './call';
import type { Reply } from './replies';

/**
 * The callers that a route admits: `account`, a user of the account (`bot` also admits AgentBot tokens); `profile`, any
 * user; `platform`, a Platform App; `open`, everybody.
 */
export type Area = 'account' | 'profile' | 'platform' | 'open';

export interface RouteRules {
  area: Area;
  /** Whether AgentBot tokens may call it; a function if that depends on the release. */
  bot?: boolean | ((call: Call) => boolean);
  /** For administrators only, refused before any lookup. */
  admin?: boolean;
  /** Returns false if this release does not have the route. */
  when?: (call: Call) => boolean;
}

export type Handler = (call: Call) => Reply | Promise<Reply>;

export interface Route {
  method: string;
  pattern: RegExp;
  names: string[];
  rules: RouteRules;
  handle: Handler;
}

export function route(methods: string, path: string, rules: RouteRules, handle: Handler): Route[] {
  const names = [...path.matchAll(/:(\w+)/g)].map(match => match[1] as string);
  const pattern = new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/:\w+/g, '([^/]+)')}/?$`);
  return methods.split('|').map(method => ({ method, pattern, names, rules, handle }));
}

export function findRoute(
  routes: Route[],
  method: string,
  path: string,
): { route: Route; at: Record<string, string> } | undefined {
  for (const candidate of routes) {
    if (candidate.method !== method) continue;
    const match = candidate.pattern.exec(path);
    if (!match) continue;
    const at = Object.fromEntries(
      candidate.names.map((name, index) => [name, decodeURIComponent(match[index + 1] ?? '')]),
    );
    return { route: candidate, at };
  }
  return undefined;
}
