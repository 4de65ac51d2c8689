import { json, refuse, type Reply } from './http/replies';
import type { World } from './world';

/** The parts that can be down; `web` is the server itself, which then refuses connections. */
export type OutagePart = 'redis' | 'postgres' | 'sidekiq' | 'web';

const REDIS_REFUSED = 'Connection refused - connect(2) for 127.0.0.1:6390 (redis://127.0.0.1:6390)';

/** What part of the installation is down, and what that does to answers (CONTRACT §8). */
export class Outage {
  down: OutagePart | undefined;

  /** The health page, which answers 200 whatever is down. */
  health(world: World): Reply {
    const state = (part: OutagePart) => (this.down === part ? 'failing' : 'ok');
    return json({
      version: world.features.release,
      timestamp: new Date(world.now()).toISOString().slice(0, 19).replace('T', ' '),
      queue_services: state('redis'),
      data_services: state('postgres'),
    });
  }

  /** An answer that comes instead of doing anything. */
  before(method: string, path: string): Reply | undefined {
    if (this.down === 'postgres') return refuse.crash().reply;
    if (this.down === 'redis' && method === 'GET' && showsPresence(path)) return refuse.crash().reply;
    return undefined;
  }

  /** Without Redis a write is stored and then fails to be announced: the answer is an error all the same. */
  after(method: string, path: string, reply: Reply): Reply {
    if (this.down !== 'redis' || method === 'GET' || reply.status >= 400 || /\/toggle_status$/.test(path)) return reply;
    if (/\/conversations\/\d+\/messages$/.test(path)) return refuse.unprocessable(REDIS_REFUSED).reply;
    return refuse.crash().reply;
  }
}

const showsPresence = (path: string) => /\/(conversations|agents|assignable_agents|inbox_members|team_members)\b/.test(path);
