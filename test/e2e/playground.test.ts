import { randomBytes } from 'node:crypto';
import path from 'node:path';
import type { FrameLocator, Locator, Page } from 'playwright-core';
import { describeInBrowser, pictureFolder, startBrowser, type TestBrowser } from '../support/browser';
import { createTestDatabase, type TestDatabase } from '../../src/testing/database';
import { startReplica, type Replica } from '../support/replica';
import { eventually } from '../support/until';

const AGENT = 'Alice Agent';
const INTERRUPTION = 'turning it off and on again';

describeInBrowser('the try-it page', () => {
  const env = { SUPPORT_SECRET_KEY: randomBytes(32).toString('base64'), SUPPORT_EXAMPLE: 'on' };
  const pictures = pictureFolder('screenshots');
  let database: TestDatabase, service: Replica, browser: TestBrowser, page: Page, desk: FrameLocator;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startReplica({ databaseUrl: database.url, env });
    // The example organization is set up during the first requests.
    await eventually(async () =>
      expect(await (await fetch(`${service.url}/playground.json`)).text()).not.toContain('"teams":[]'),
    );
    browser = await startBrowser();
    page = await browser.openPage(service.url);
    desk = page.frameLocator('[data-testid=agents-frame]');
  });
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    await database?.drop();
  });

  const left = (testId: string): Locator => page.getByTestId(testId);
  const fact = (testId: string, value: string): Promise<void> =>
    eventually(async () => expect(await left(testId).textContent()).toBe(value));
  const said = (author: string, text: string | RegExp): Locator =>
    page.locator(`[data-testid=message][data-author=${author}]`, { hasText: text });
  const event = (code: string): Locator => page.locator(`[data-testid=event][data-code=${code}]`);
  const atDesk = (text: string | RegExp): Locator => desk.getByTestId('message').filter({ hasText: text });
  const allTexts = (): Promise<string[]> => left('message-text').allTextContents();
  const picture = (name: string): Promise<Buffer> => page.screenshot({ path: path.join(pictures, `${name}.png`) });

  async function say(text: string): Promise<void> {
    await left('composer').fill(text);
    await left('composer').press('Enter');
  }
  async function reply(text: string): Promise<void> {
    await desk.getByTestId('reply-mode').check();
    await desk.getByTestId('reply').fill(text);
    await desk.getByTestId('send').click();
  }
  async function beAgent(): Promise<void> {
    await desk.getByTestId('agent-select').selectOption({ label: AGENT });
  }
  async function takeWaiting(): Promise<void> {
    await desk
      .getByTestId('conversation')
      .filter({ has: page.getByTestId('waiting') })
      .click();
    await desk.getByTestId('take').click();
  }
  /** A test of the story; the step that failed is visible. */
  const step = (name: string, play: () => Promise<void>): void =>
    void it(name, async () => {
      try {
        await play();
      } catch (error) {
        const seen = path.join(pictureFolder(''), 'broken.png');
        await page.screenshot({ path: seen }).catch(() => undefined);
        throw new Error(`${error instanceof Error ? error.message : String(error)}\nThe page as it was: ${seen}`, {
          cause: error,
        });
      }
    });

  describe('the whole story in one window', () => {
    step('shows who has control from the subscription, before a word is said', async () => {
      await fact('connection', 'live');
      await fact('epoch', '1');
      await fact('control', 'BOT');
      await fact('handoff-state', 'none');
      await picture('1-start');
    });

    step('answers as the bot', async () => {
      await say('Where is order 1003?');
      await said('BOT', /1003 is stuck/).waitFor();
    });

    step('asks for a person, and the bot falls silent', async () => {
      await say('I want to talk to a person');
      await fact('handoff-state', 'QUEUED');
      await fact('control', 'NONE');
      await fact('epoch', '2');
      await said('SYSTEM', /./).waitFor();
      await say('Is anybody there?');
      await event('BOT_SILENT').waitFor();
    });

    step('shows the handoff to the agents, with the history and the context note', async () => {
      await beAgent();
      await desk
        .getByTestId('conversation')
        .filter({ has: page.getByTestId('waiting') })
        .click();
      await atDesk('Is anybody there?').waitFor();
      const shown = await desk
        .locator('[data-testid=message][data-visibility=PUBLIC]')
        .evaluateAll(items =>
          items.map(item => `${item.getAttribute('data-author')} ${item.querySelector('.text')?.textContent}`),
        );
      expect(shown.slice(0, 3)).toEqual([
        'END_USER Where is order 1003?',
        expect.stringMatching(/^BOT .*1003 is stuck/),
        'END_USER I want to talk to a person',
      ]);
      const note = await desk.locator('[data-testid=message][data-visibility=INTERNAL]').textContent();
      for (const part of ['The end-user asked for a person', 'support.order', '1003', '“Where is order 1003?”'])
        expect(note).toContain(part);
      await picture('2-handoff-waits');
    });

    step('says who took it', async () => {
      await desk.getByTestId('take').click();
      await fact('agent-name', AGENT);
      await fact('control', 'HUMAN');
      await fact('epoch', '3');
      await event('AGENT_JOINED').waitFor();
    });

    step('carries what both say, once and in order', async () => {
      await reply('Hello, this is Alice.');
      await reply('I see that the payment for 1003 was taken twice.');
      await said('AGENT', 'taken twice').waitFor();
      await say('Yes, that is the one!');
      await atDesk('Yes, that is the one!').waitFor();
      await reply('You get it back today.');
      await said('AGENT', 'back today').waitFor();
      expect((await allTexts()).slice(-4)).toEqual([
        'Hello, this is Alice.',
        'I see that the payment for 1003 was taken twice.',
        'Yes, that is the one!',
        'You get it back today.',
      ]);
    });

    step('keeps a note inside: not one word of it is sent to the left', async () => {
      const secret = 'customer is on the goodwill list';
      await desk.getByTestId('note').check();
      await desk.getByTestId('reply').fill(secret);
      await desk.getByTestId('send').click();
      await atDesk(secret).waitFor();
      await reply('Anything else?');
      await said('AGENT', 'Anything else?').waitFor();
      // With the wire log: everything that the browser ever got for the end-user.
      expect(await page.locator('body').textContent()).not.toContain(secret);
    });

    step('keeps the bot silent while a person has control, and says why', async () => {
      await left('interrupt').click();
      await event('CONTROL_LOST').waitFor();
      await picture('3-person-has-control');
      await say('No, thank you.');
      await atDesk('No, thank you.').waitFor();
      expect(await allTexts()).not.toContainEqual(expect.stringContaining(INTERRUPTION));
      expect(await atDesk(INTERRUPTION).count()).toBe(0);
      expect(await said('BOT', /./).count()).toBe(2);
    });

    step('lets the bot suggest to the agents what it may not say', async () => {
      await left('suggest').click();
      await event('SUGGESTED').waitFor();
      await desk.locator('[data-testid=message][data-visibility=INTERNAL]', { hasText: INTERRUPTION }).waitFor();
      expect(await allTexts()).not.toContainEqual(expect.stringContaining(INTERRUPTION));
    });

    step('shows files from both sides', async () => {
      const chosen = page.waitForEvent('filechooser');
      await left('attach').click();
      await (await chosen).setFiles({
        name: 'receipt.png',
        mimeType: 'image/png',
        buffer: Buffer.from(ONE_PIXEL, 'base64'),
      });
      await said('END_USER', /./)
        .or(page.locator('[data-testid=message][data-author=END_USER]'))
        .locator('img')
        .last()
        .waitFor();
      // The service has fetched and stored it: agents see the picture, not a link to this page.
      const atAgents = desk.locator('[data-testid=message][data-author=END_USER] img').last();
      await eventually(async () =>
        expect(await atAgents.evaluate(image => (image as unknown as { naturalWidth: number }).naturalWidth)).toBe(1),
      );
      await desk
        .getByTestId('attach')
        .setInputFiles({ name: 'label.png', mimeType: 'image/png', buffer: Buffer.from(ONE_PIXEL, 'base64') });
      await reply('Here is the label.');
      const picture = said('AGENT', 'Here is the label.').locator('img');
      await eventually(async () =>
        expect(await picture.evaluate(image => (image as unknown as { naturalWidth: number }).naturalWidth)).toBe(1),
      );
    });

    step('brings the outcome back when the agent resolves, and the bot goes on', async () => {
      await desk.getByTestId('resolve').click();
      await event('OUTCOME').waitFor();
      expect(await event('OUTCOME').getAttribute('data-outcome')).toBe('ENDED');
      await event('OUTCOME').locator('summary').click();
      expect(await event('OUTCOME').locator('dd').allTextContents()).toEqual([
        'ENDED',
        'AGENT_RESOLVED',
        AGENT,
        'ORDER',
      ]);
      await fact('control', 'BOT');
      await fact('epoch', '4');
      await said('BOT', `I am back: ${AGENT}`).waitFor();
      await say('When are you open?');
      await said('BOT', 'Monday to Friday').waitFor();
      await atDesk('Monday to Friday').waitFor();
      for (const key of ['ask', 'person', 'take', 'talk', 'resolve', 'back'])
        expect(await left(`step-${key}`).getAttribute('class')).toContain('done');
      await picture('4-bot-is-back');
    });

    step('logs every call for people who write a runtime', async () => {
      await left('wire-log').locator('> summary').click();
      const entry = (operation: string, outcome: string): Locator =>
        page.locator(`[data-testid=wire-entry][data-operation=${operation}]`, { hasText: outcome });
      for (const operation of [
        'OpenSession',
        'RecordEndUserMessage',
        'SendBotMessage',
        'RequestHandoff',
        'RuntimeInbox',
        'AcknowledgeDeliveries',
      ])
        expect(await entry(operation, 'ok').count()).toBeGreaterThan(0);
      expect(await entry('SendBotMessage', 'CONTROL_LOST').count()).toBe(1);
      expect(await entry('ConversationStatus', 'pushed').count()).toBeGreaterThan(3);
      await entry('RequestHandoff', 'ok').locator('summary').click();
      await entry('RequestHandoff', 'ok').getByText('"alreadyLive": false').waitFor();
      await entry('RequestHandoff', 'ok').scrollIntoViewIfNeeded();
      await picture('5-wire-log');
      await left('wire-log').locator('> summary').click();
    });

    step('keeps the conversation through a reload, and nothing twice', async () => {
      const before = await allTexts();
      await page.reload();
      await fact('connection', 'live');
      await fact('epoch', '4');
      expect(await allTexts()).toEqual(before);
    });
  });

  describe('functions beside the story', () => {
    step('lets the end-user stop waiting', async () => {
      await left('ask-person').click();
      await fact('handoff-state', 'QUEUED');
      await left('cancel-handoff').click();
      await fact('control', 'BOT');
      await said('BOT', 'I am here again').waitFor();
    });

    step('hands over to the team that the end-user chose', async () => {
      await left('team').selectOption({ label: 'billing' });
      await left('ask-person').click();
      await beAgent();
      await takeWaiting();
      await fact('agent-name', AGENT);
      await eventually(async () => expect(await desk.getByTestId('thread-state').textContent()).toContain('billing'));
      await desk.getByTestId('return').click();
      await fact('control', 'BOT');
      await said('BOT', 'handed you to me again').waitFor();
    });

    step('starts a new conversation beside the old one', async () => {
      await left('new-conversation').click();
      await fact('epoch', '1');
      expect(await left('message').count()).toBe(0);
      await say('When are you open?');
      await said('BOT', 'Monday to Friday').waitFor();
    });

    step('keeps two chatbots apart', async () => {
      await left('chatbot').selectOption({ label: 'Travel helper' });
      await fact('epoch', '1');
      expect(await left('message').count()).toBe(0);
      await say('What about booking 1002?');
      await said('BOT', 'Your booking 1002').waitFor();
      await left('chatbot').selectOption({ label: 'Order helper' });
      await eventually(async () =>
        expect(await allTexts()).toEqual(['When are you open?', expect.stringContaining('Monday to Friday')]),
      );
    });

    step('knows who wants a person', async () => {
      const wishes = [
        'I want to talk to a person',
        'agent',
        'Can I speak with someone real?',
        'human please',
        'Ich möchte mit einem Menschen sprechen',
      ];
      const others = [
        'I am a person',
        'Where is my order?',
        'The delivery person never came to me',
        'hello',
        'People say you are open on Sunday',
      ];
      const asks = (text: string): Promise<boolean> =>
        page.evaluate<boolean>(
          `import('/playground/bot.js').then(({ answer }) => answer(${JSON.stringify(text)}, 'Order helper', null).person !== undefined)`,
        );
      expect(await Promise.all(wishes.map(asks))).toEqual(wishes.map(() => true));
      expect(await Promise.all(others.map(asks))).toEqual(others.map(() => false));
    });

    step('names everything that can be used, and needs no sideways scrolling on a phone', async () => {
      const nameless = await page
        .locator('button:visible, select:visible, textarea:visible, iframe, a:visible, summary:visible')
        .evaluateAll(all =>
          all
            .filter(
              one =>
                !(
                  one.textContent?.trim() ||
                  one.getAttribute('aria-label') ||
                  one.getAttribute('title') ||
                  (one as unknown as { labels?: { textContent: string }[] }).labels?.[0]?.textContent.trim()
                ),
            )
            .map(one => one.outerHTML),
        );
      expect(nameless).toEqual([]);
      await page.setViewportSize({ width: 390, height: 844 });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
      await page.setViewportSize({ width: 1280, height: 800 });
    });

    step('needs no scripts, styles or connections but its own', async () => {
      expect(browser.complaints).toEqual([]);
    });

    step('serves its own files only, under a strict policy', async () => {
      const start = await fetch(service.url);
      expect(start.headers.get('content-security-policy')).toContain(
        "default-src 'none'; script-src 'self'; style-src 'self'",
      );
      for (const path of [
        '/playground/index.ts',
        '/playground/%2e%2e/index.ts',
        '/playground/',
        '/playground/page/bot.js',
        '/index.html',
      ])
        expect((await fetch(service.url + path)).status).toBe(404);
      expect((await fetch(`${service.url}/playground/bot.js`)).headers.get('content-type')).toBe(
        'text/javascript; charset=utf-8',
      );
    });

    step('sends by itself, once and in order, what was written while the service was away', async () => {
      const before = await allTexts();
      await service.stop();
      await eventually(async () => expect(await left('connection').getAttribute('data-state')).not.toBe('open'));
      await say('Where is order 1001?');
      await left('sent-later').waitFor();
      await say('When are you open?');
      await page.reload().catch(() => undefined);
      service = await startReplica({ databaseUrl: database.url, env, port: Number(new URL(service.url).port) });
      await page.goto(service.url);
      await fact('connection', 'live');
      await eventually(async () =>
        expect((await allTexts()).slice(before.length)).toEqual([
          'Where is order 1001?',
          'When are you open?',
          expect.stringContaining('Your order 1001'),
          expect.stringContaining('Monday to Friday'),
        ]),
      );
      expect(await left('sent-later').count()).toBe(0);
    });
  });
});

const ONE_PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';
