import { SETTINGS } from '../../src/config/settings';
import { MAX_CONTENT_LENGTH } from '../../src/providers/chatwoot/liquid';
import { ChatwootFixture } from '../../src/providers/chatwoot/testing/fixture';

/** A refused webhook turns its message red in the agent's window, and its hint is lost. */
describe('the webhook of the longest message that Chatwoot takes', () => {
  let workshop: ChatwootFixture;
  beforeAll(async () => {
    workshop = await ChatwootFixture.ready();
  });
  afterAll(() => workshop.stop());

  it.each([
    ['of three bytes each', '漢'],
    ['that JSON writes in six bytes each', '\u0001'],
  ])('is within our default limit, in characters %s', async (_, character) => {
    const inbox = `${workshop.account}/inboxes/${workshop.inbox.externalId}`;
    await workshop.farSide.call('PATCH', inbox, workshop.admin, { channel: { webhook_url: 'http://127.0.0.1:1/' } });
    const conversation = await workshop.conversation();
    await workshop.createActingAgent(workshop.ownerId, conversation).reply(character.repeat(MAX_CONTENT_LENGTH));
    await workshop.double.settled();
    const sizes = workshop.double
      .deliveries()
      .filter(({ event }) => event === 'message_created')
      .map(({ body }) => Buffer.byteLength(body));
    expect(Math.max(...sizes)).toBeGreaterThan(1_048_576);
    expect(Math.max(...sizes)).toBeLessThan(Number(SETTINGS.SUPPORT_WEBHOOK_BODY_LIMIT_BYTES.default));
  });
});
