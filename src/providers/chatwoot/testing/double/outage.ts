import { json, refuse, type Reply } from './http/replies';
import type { World } from './world';

/** The parts that can fail. `web` is the server itself, which then refuses connections. */
export type OutagePart = 'redis' | 'postgres' | 'sidekiq' | 'web';

const REDIS_REFUSED = 'Connection refused - connect(2) for 127.0.0.1:6390 (redis://127.0.0.1:6390)';

/** The failed part of the installation, and its effect on responses (CONTRACT §8). */
export class Outage {
  down: OutagePart | undefined;

  /** The health page, which returns 200 in any outage. */
  health(world: World): Reply {
    const state = (part: OutagePart) => (this.down === part ? 'failing' : 'ok');
    return json({
      version: world.features.release,
      timestamp: new Date(world.now()).toISOString().slice(0, 19).replace('T', ' '),
      queue_services: state('redis'),
      data_services: state('postgres'),
    });
  }

  /** Returns the response that replaces a call's execution during the outage, if any. */
  before(method: string, path: string): Reply | undefined {
    if (this.down === 'postgres') return refuse.crash().reply;
    if (this.down === 'redis' && method === 'GET' && showsPresence(path)) return refuse.crash().reply;
    return undefined;
  }

  /**
   * Replaces the response to a write. Without Redis the write is stored but its announcement fails, so the response is
   * an error.
   */
  after(method: string, path: string, reply: Reply): Reply {
    if (this.down !== 'redis' || method === 'GET' || reply.status >= 400 || /\/toggle_status$/.test(path)) return reply;
    if (/\/conversations\/\d+\/messages$/.test(path)) return refuse.unprocessable(REDIS_REFUSED).reply;
    return refuse.crash().reply;
  }
}

const showsPresence = (path: string) =>
  /\/(conversations|agents|assignable_agents|inbox_members|team_members)\b/.test(path);
