import { SharedReplay, FOLDERS, type SharedVersion } from './replay/shared-replay';
import { EXPECTED } from './replay/expected-webhooks';
import { readRecording, recordingsIn, type RecordedWebhook } from './replay/recordings';
import { BOTH_ACTS, NOT_IN_THE_DOUBLE } from './replay/script-both';
import { BOTH_WEBHOOKS, isAbout } from './replay/script-both-webhooks';
import { recordingsPlayed } from './replay/scripts';

describe.each(Object.keys(FOLDERS) as SharedVersion[])(
  'the double responds as Chatwoot %s was recorded in December',
  version => {
    const played: string[] = [];
    let replay: SharedReplay;
    beforeEach(async () => {
      replay = await SharedReplay.open(version);
    });
    afterEach(() => replay.close());

    it.each(Object.entries(BOTH_ACTS))('%s', async (_what, act) => {
      await act(replay);
      expect(replay.played.length).toBeGreaterThan(0);
      played.push(...replay.played);
    });

    it('plays every recording that is in no other script, each once', () => {
      const all = [...played, ...recordingsPlayed(version), ...NOT_IN_THE_DOUBLE];
      expect(all.sort()).toEqual(recordingsIn(FOLDERS[version]));
    });
  },
);

const WEBHOOKS = { '4.10': 'webhooks', '4.14': 'webhooks-4.14' } as const;
/** What earlier activity had left on the recorded conversation. */
const AROUND = [
  'messages',
  'labels',
  'status',
  'unread_count',
  'waiting_since',
  'first_reply_created_at',
  'contact_last_seen_at',
  'meta.assignee',
  'meta.assignee_type',
  'meta.team',
  'custom_attributes',
  'priority',
  'meta.sender.email',
  'account.name',
  'contact_inbox.hmac_verified',
];
const NOT_COMPARED = [
  ...AROUND,
  ...AROUND.map(path => `conversation.${path}`),
  'sender.email',
  'sender.account.name',
  'additional_attributes.city',
  'email',
  'custom_attributes.a',
  // A job analyzes these.
  'attachments[0].width',
  'attachments[0].height',
];

describe.each(Object.keys(WEBHOOKS) as SharedVersion[])(
  'the double sends the webhooks of Chatwoot %s as they were recorded in December',
  version => {
    const folder = WEBHOOKS[version];
    let replay: SharedReplay;
    beforeEach(async () => {
      replay = await SharedReplay.open(version);
      const { url } = replay.theatre.receiver;
      await replay.call('PATCH', `/inboxes/${replay.inbox}`, { channel: { webhook_url: `${url}/inbox` } });
      await replay.call('POST', '/webhooks', { url: `${url}/account`, subscriptions: ['contact_updated'] });
    });
    afterEach(() => replay.close());

    const names = recordingsIn(folder).filter(name => BOTH_WEBHOOKS[name.replace(/\.json$/, '')] !== undefined);
    it.each(names)('%s', async name => {
      const recorded = readRecording<RecordedWebhook>(folder, name);
      const body = JSON.parse(recorded.body);
      await BOTH_WEBHOOKS[name.replace(/\.json$/, '')]!(replay);
      await replay.whenIdle();
      const came = await replay.theatre.receiver.next(webhook => isAbout(body, JSON.parse(webhook.body)), 1000);
      // For the other columns that changed with it, see `isAbout`.
      const ignore = /merged|account_key|automation_team/.test(name)
        ? [...NOT_COMPARED, 'changed_attributes']
        : NOT_COMPARED;
      replay.theatre.compareWebhook(folder, name, { ...came, url: recorded.delivered_to }, { anySuffix: true, ignore });
      expect([came.url.slice(1), 'inboxn']).toContain(recorded.delivered_to.slice(1));
    });

    it('include those of the first recordings', () => {
      const first =
        version === '4.10'
          ? Object.keys(EXPECTED).map(name => `${name}.json`)
          : recordingsIn(folder).filter(name => name.endsWith('.signed.json'));
      expect([...names, ...first].sort()).toEqual(recordingsIn(folder));
    });
  },
);
