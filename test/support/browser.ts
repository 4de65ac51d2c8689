import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';

/** The path of the Chromium to test with, or null if there is none. */
export const CHROMIUM: string | null =
  [process.env.CHROMIUM_PATH, '/usr/bin/chromium'].find(file => file !== undefined && existsSync(file)) ?? null;

/** A describe that runs in a browser, or prints why it cannot. */
export function describeInBrowser(name: string, body: () => void): void {
  if (CHROMIUM !== null) return void describe(name, body);
  process.stderr.write(
    `Skipped "${name}": no Chromium at CHROMIUM_PATH or /usr/bin/chromium; install one (apt-get install chromium) to run it.\n`,
  );
  describe.skip(name, body);
}

export interface TestBrowser {
  readonly context: BrowserContext;
  /** Everything that pages logged to their consoles as an error, and what they threw. Must stay empty. */
  readonly complaints: string[];
  openPage(url: string): Promise<Page>;
  close(): Promise<void>;
}

export interface BrowserOptions {
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: 'light' | 'dark';
}

/** Starts a separate, empty browser with its own user data and no network access of the vendor's. */
export async function startBrowser({
  width = 1280,
  height = 800,
  colorScheme = 'light',
}: BrowserOptions = {}): Promise<TestBrowser> {
  const userData = mkdtempSync(path.join(tmpdir(), 'chromium-'));
  const context = await chromium.launchPersistentContext(userData, {
    executablePath: CHROMIUM!,
    headless: true,
    viewport: { width, height },
    colorScheme,
    locale: 'en-GB',
    timezoneId: 'UTC',
    reducedMotion: 'reduce',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  context.setDefaultTimeout(290_000);
  const complaints: string[] = [];
  context.on('page', page => {
    page.on('pageerror', error => complaints.push(error.message));
    page.on('console', message => {
      if (message.type() === 'error') complaints.push(`${message.text()} (${message.location().url})`);
    });
  });
  return {
    context,
    complaints,
    async openPage(url) {
      const page = await context.newPage();
      await page.goto(url);
      return page;
    },
    async close() {
      await context.close();
      rmSync(userData, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Returns the folder for screenshots: in the docs if requested, otherwise a temporary one. */
export function pictureFolder(inDocs: string): string {
  if (process.env.UPDATE_SCREENSHOTS !== '1') return mkdtempSync(path.join(tmpdir(), 'screenshots-'));
  const folder = path.join(__dirname, '..', '..', 'docs', inDocs);
  mkdirSync(folder, { recursive: true });
  return folder;
}
