import { differences } from './replay/compare';

/** Tests the comparison itself: the recordings are only as strict as it is. */
const recorded = {
  id: 1,
  account_id: null,
  name: 'Alice',
  created_at: 1795380476,
  waiting_since: 0,
  updated_at: '2026-11-22T20:47:56.371Z',
  access_token: '<ALICE_TOKEN>',
  labels: ['a', 'b'],
  changed_attributes: [{ assignee_id: { previous_value: 4, current_value: null } }],
  data_url: 'http://127.0.0.1:3900/rails/active_storage/blobs/redirect/<SIGNED_BLOB_ID>/a.pdf',
  unread_count: 2,
};
const actual = {
  ...recorded,
  id: 7,
  created_at: 1,
  updated_at: '2020-01-01T00:00:00.000Z',
  access_token: 'x',
  data_url:
    'http://127.0.0.1:1/rails/active_storage/blobs/redirect/eyJhIjoxfQ--0123456789012345678901234567890123456789/a.pdf',
  changed_attributes: [{ assignee_id: { previous_value: 9, current_value: null } }],
};

it('comparison ignores ids, times, tokens and hosts', () => {
  expect(differences(recorded, actual)).toEqual([]);
});

it.each([
  ['a key that is missing', { ...actual, name: undefined }],
  ['a key too many', { ...actual, extra: 1 }],
  ['another value', { ...actual, name: 'Bob' }],
  ['another number', { ...actual, unread_count: 3 }],
  ['another type', { ...actual, unread_count: '2' }],
  ['an id where none was', { ...actual, account_id: 1 }],
  ['a time where never was', { ...actual, waiting_since: 5 }],
  ['a number instead of a written time', { ...actual, updated_at: 5 }],
  ['a list that is shorter', { ...actual, labels: ['a'] }],
  ['a list in another order', { ...actual, labels: ['b', 'a'] }],
  ['another file name', { ...actual, data_url: actual.data_url.replace('a.pdf', 'b.pdf') }],
  [
    'a change from something to something else',
    { ...actual, changed_attributes: [{ assignee_id: { previous_value: 9, current_value: 1 } }] },
  ],
])('comparison detects %s', (_what, changed) => {
  const sent = Object.fromEntries(Object.entries(changed).filter(([, value]) => value !== undefined));
  expect(differences(recorded, sent)).not.toEqual([]);
});
