import type { AccountUser, Availability, User } from '../model';
import type { World } from '../world';

/**
 * Returns `availability_status` as in lists of agents: without a live channel a user is offline, unless `auto_offline`
 * is off.
 */
export function availabilityOf(user: User, membership: AccountUser | undefined): Availability {
  if (!membership) return 'offline';
  if (!membership.autoOffline || user.connected) return membership.availability;
  return 'offline';
}

export function isOnline(world: World, accountId: number, userId: number): boolean {
  const user = world.store.users.get(userId);
  const membership = world.store.accountUser(accountId, userId);
  return user !== undefined && membership !== undefined && availabilityOf(user, membership) === 'online';
}
