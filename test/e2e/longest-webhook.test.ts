import { SETTINGS } from '../../src/config/settings';
import { MAX_CONTENT_LENGTH } from '../../src/providers/chatwoot/liquid';
import { ChatwootFixture } from '../../src/providers/chatwoot/testing/fixture';

/** A refused webhook marks its message as failed in the agent's window, and its hint is lost. */
describe('the webhook of the longest message that Chatwoot accepts', () => {
  let fixture: ChatwootFixture;
  beforeAll(async () => {
    fixture = await ChatwootFixture.ready();
  });
  afterAll(() => fixture.stop());

  it.each([
    ['of three bytes each', '漢'],
    ['that JSON writes in six bytes each', '\u0001'],
  ])('is within our default limit, in characters %s', async (_, character) => {
    const inbox = `${fixture.account}/inboxes/${fixture.inbox.externalId}`;
    await fixture.farSide.call('PATCH', inbox, fixture.admin, { channel: { webhook_url: 'http://127.0.0.1:1/' } });
    const conversation = await fixture.conversation();
    await fixture.createActingAgent(fixture.ownerId, conversation).reply(character.repeat(MAX_CONTENT_LENGTH));
    await fixture.double.whenIdle();
    const sizes = fixture.double
      .deliveries()
      .filter(({ event }) => event === 'message_created')
      .map(({ body }) => Buffer.byteLength(body));
    expect(Math.max(...sizes)).toBeGreaterThan(1_048_576);
    expect(Math.max(...sizes)).toBeLessThan(Number(SETTINGS.SUPPORT_WEBHOOK_BODY_LIMIT_BYTES.default));
  });
});
