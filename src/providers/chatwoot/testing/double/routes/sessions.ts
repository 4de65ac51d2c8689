import { asBoolean, asId, asObject, asText, has, type Call } from '../http/call';
import { callingUser } from '../http/access';
import { json, refuse, type Reply } from '../http/replies';
import { route, type Route } from '../http/router';
import { takeUserToken } from '../domain/users';
import { profile } from '../present/people';
import { newToken } from '../tokens';
import type { AccountUser, User } from '../model';

const PROFILE = { area: 'profile' } as const;

function me(call: Call): User {
  const user = callingUser(call);
  if (!user) throw refuse.notSignedIn();
  return user;
}

const show = (call: Call) => json(profile(call.world, me(call)));

function membershipIn(call: Call): AccountUser {
  const params = asObject(call.params['profile']);
  const membership = call.world.store.accountUser(asId(params['account_id']) ?? 0, me(call).id);
  if (!membership) throw refuse.absent();
  return membership;
}

function setAvailability(call: Call): Reply {
  const membership = membershipIn(call);
  const availability = asObject(call.params['profile'])['availability'];
  if (availability !== 'online' && availability !== 'busy' && availability !== 'offline') throw refuse.crash();
  membership.availability = availability;
  return show(call);
}

/** Signs in with a password, or once with a login link's token. */
function signIn(call: Call): Reply {
  const { world, params } = call;
  const user = world.store.users.find(row => row.email === asText(params['email'])?.toLowerCase());
  const sso = asText(params['sso_auth_token']);
  const welcome =
    user &&
    (sso === null
      ? user.password !== null && user.password === params['password']
      : takeUserToken(user, sso, world.now()));
  if (!user || !welcome) throw refuse.badCredentials();
  const client = newToken();
  const token = newToken();
  world.store.sessions.set(client, { token, userId: user.id });
  const reply = json({ data: profile(world, user) });
  Object.assign(reply.headers, {
    'access-token': token,
    client,
    'token-type': 'Bearer',
    uid: user.email,
    expiry: String(Math.floor(world.now() / 1000) + 60 * 24 * 3600),
  });
  return reply;
}

export const sessionRoutes: Route[] = [
  ...route('POST', '/auth/sign_in', { area: 'open' }, signIn),
  ...route('GET', '/api/v1/profile', PROFILE, show),
  ...route('PUT|PATCH', '/api/v1/profile', PROFILE, call => {
    const params = asObject(call.params['profile']);
    const user = me(call);
    if (has(params, 'name')) user.name = asText(params['name']) ?? user.name;
    if (has(params, 'display_name')) user.displayName = asText(params['display_name']);
    return show(call);
  }),
  ...route('POST', '/api/v1/profile/availability', PROFILE, setAvailability),
  ...route('POST', '/api/v1/profile/auto_offline', PROFILE, call => {
    membershipIn(call).autoOffline = asBoolean(asObject(call.params['profile'])['auto_offline']);
    return show(call);
  }),
  ...route('POST', '/api/v1/profile/reset_access_token', PROFILE, call => {
    me(call).token = newToken();
    return show(call);
  }),
];
