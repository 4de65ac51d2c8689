import { randomBytes } from 'node:crypto';
import type { Locator, Page } from 'playwright-core';
import { describeInBrowser, startBrowser, type TestBrowser } from '../support/browser';
import { createTestDatabase, type TestDatabase } from '../../src/testing/database';
import { startReplica, type Replica } from '../support/replica';
import { eventually } from '../support/until';

const AGENT = 'Alice Agent';
const ONE_PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
);

describeInBrowser("the desk's page", () => {
  const env = { SUPPORT_SECRET_KEY: randomBytes(32).toString('base64'), SUPPORT_EXAMPLE: 'on' };
  let database: TestDatabase, service: Replica, browser: TestBrowser, desk: Page;

  /** By name, as README describes. */
  const addressOf = ({ url }: Replica): string => url.replace('127.0.0.1', 'localhost');
  const at = (testId: string): Locator => desk.getByTestId(testId);
  const focused = (): Promise<string | null> =>
    desk.evaluate<string | null>('document.activeElement.dataset.testid ?? document.activeElement.id ?? null');
  const names = (): Promise<string[]> => at('conversation').locator('.row > :first-child').allTextContents();

  async function call<T>(query: string, input: object): Promise<T> {
    const response = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables: { input } }),
    });
    const { data, errors } = (await response.json()) as { data: Record<string, T>; errors?: unknown };
    if (!data) throw new Error(JSON.stringify(errors));
    return Object.values(data)[0]!;
  }
  /** An end-user of that name who waits for an agent. */
  async function waiting(name: string): Promise<string> {
    const { session } = await call<{ session: { id: string } }>(
      'mutation ($input: OpenSupportSessionInput!) { openSupportSession(input: $input) { session { id } } }',
      { chatbotId: 'chatbot-orders', channel: 'web', externalId: name, endUser: { name } },
    );
    await says(session.id, `Hello, this is ${name}`);
    await call('mutation ($input: RequestHandoffInput!) { requestHandoff(input: $input) { userErrors { message } } }', {
      sessionId: session.id,
      idempotencyKey: `handoff:${name}`,
    });
    await eventually(async () => expect(await names()).toContain(name));
    return session.id;
  }
  const says = (sessionId: string, text: string) =>
    call(
      'mutation ($input: RecordEndUserMessageInput!) { recordEndUserMessage(input: $input) { userErrors { message } } }',
      { sessionId, text, idempotencyKey: text },
    );
  const open = (name: string): Promise<void> => at('conversation').filter({ hasText: name }).first().click();

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startReplica({ databaseUrl: database.url, env });
    browser = await startBrowser();
    desk = await browser.openPage(`${addressOf(service)}/providers/desk/`);
  });
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    await database?.drop();
  });

  it('the page says directly under the tabs that nobody waits', async () => {
    const empty = desk.locator('#list-empty');
    await empty.waitFor();
    const [tabs, text] = [await desk.locator('#tabs').boundingBox(), await empty.boundingBox()];
    expect(text!.y - (tabs!.y + tabs!.height)).toBeLessThan(40);
  });

  it('the page lists the longest waiting end-user first', async () => {
    await at('agent-select').selectOption({ label: AGENT });
    await waiting('Anna');
    await waiting('Ben');
    const anna = await waiting('Cleo');
    // A new message of the last end-user moves nobody forward.
    await says(anna, 'Are you there?');
    await eventually(async () => expect(await at('conversation').first().textContent()).toContain('Anna'));
    expect(await names()).toEqual(['Anna', 'Ben', 'Cleo']);
  });

  it('the page keeps the focus through every action', async () => {
    await open('Anna');
    await at('take').focus();
    await desk.keyboard.press('Enter');
    await eventually(async () => expect(await at('thread-state').textContent()).toContain('yours'));
    // The pressed button is gone, so the next one has the focus.
    await eventually(async () => expect(await focused()).toBe('resolve'));

    await at('snooze').focus();
    await desk.keyboard.press('Enter');
    await at('snooze-hour').focus();
    await desk.keyboard.press('Enter');
    await at('wake').waitFor();
    await eventually(async () => expect(await focused()).toBe('resolve'));
    await at('wake').focus();
    await desk.keyboard.press('Enter');
    await at('snooze').waitFor();
    await eventually(async () => expect(await focused()).toBe('resolve'));

    await at('reply').fill('Hello Anna');
    await at('send').focus();
    await desk.keyboard.press('Enter');
    await at('message').filter({ hasText: 'Hello Anna' }).waitFor();
    await eventually(async () => expect(await focused()).toBe('reply'));
  });

  it('the page continues after a reload as the same agent, in the same conversation', async () => {
    await desk.reload();
    await at('message').filter({ hasText: 'Hello Anna' }).waitFor();
    expect(await at('agent-select').locator('option:checked').textContent()).toBe(AGENT);
    expect(await desk.locator('#thread-title').textContent()).toBe('Anna');
  });

  it("the page shows agents' pictures to the end-user's page, whatever this machine's name is", async () => {
    const sessionId = await waiting('Dora');
    await open('Dora');
    await at('attach').setInputFiles({ name: 'label.png', mimeType: 'image/png', buffer: ONE_PIXEL });
    await at('reply').fill('Here is the label.');
    await at('send').click();
    const links = await eventually(async () => {
      const response = await fetch(`${service.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          query: 'query ($id: ID!) { supportSession(id: $id) { messages { nodes { attachments { url } } } } }',
          variables: { id: sessionId },
        }),
      });
      const { data } = (await response.json()) as {
        data: { supportSession: { messages: { nodes: { attachments: { url: string }[] }[] } } };
      };
      const found = data.supportSession.messages.nodes.flatMap(({ attachments }) => attachments.map(({ url }) => url));
      expect(found).toHaveLength(1);
      return found;
    });
    // The page is opened by name and the link may contain the address: to a browser two sites.
    const page = await browser.openPage(`${addressOf(service)}/`);
    const width = await page.evaluate<number>(
      `new Promise((resolve) => { const image = new Image(); image.onload = () => resolve(image.naturalWidth); image.onerror = () => resolve(0); image.src = ${JSON.stringify(links[0])}; })`,
    );
    expect(width).toBe(1);
    await page.close();
  });

  it('the page says that it is offline, keeps what is typed, and continues when the service is back', async () => {
    await at('reply').fill('half a sentence');
    await service.stop();
    await eventually(async () => expect(await at('connection').textContent()).toContain('Offline'));
    expect(await at('connection').isVisible()).toBe(true);
    service = await startReplica({ databaseUrl: database.url, env, port: Number(new URL(service.url).port) });
    await eventually(async () => expect(await at('connection').textContent()).toBe(''));
    expect(await at('reply').inputValue()).toBe('half a sentence');
    await at('send').click();
    await at('message').filter({ hasText: 'half a sentence' }).waitFor();
  });
});
