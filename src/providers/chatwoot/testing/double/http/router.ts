import type { Call } from './call';
import type { Reply } from './replies';

/**
 * Who may come in: `account` wants a user of the account (`bot` lets AgentBot tokens pass too),
 * `profile` a user, `platform` a Platform App, `open` anybody.
 */
export type Area = 'account' | 'profile' | 'platform' | 'open';

export interface RouteRules {
  area: Area;
  /** AgentBot tokens may call it; a function decides by release. */
  bot?: boolean | ((call: Call) => boolean);
  /** Administrators only, refused before anything is looked up. */
  admin?: boolean;
  /** Absent in this release. */
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
  const names = [...path.matchAll(/:(\w+)/g)].map((match) => match[1] as string);
  const pattern = new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/:\w+/g, '([^/]+)')}/?$`);
  return methods.split('|').map((method) => ({ method, pattern, names, rules, handle }));
}

export function findRoute(routes: Route[], method: string, path: string): { route: Route; at: Record<string, string> } | undefined {
  for (const candidate of routes) {
    if (candidate.method !== method) continue;
    const match = candidate.pattern.exec(path);
    if (!match) continue;
    const at = Object.fromEntries(candidate.names.map((name, index) => [name, decodeURIComponent(match[index + 1] ?? '')]));
    return { route: candidate, at };
  }
  return undefined;
}
