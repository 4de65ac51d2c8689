import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';

/** The Chromium to test with, or null where there is none. */
export const CHROMIUM: string | null = [process.env.CHROMIUM_PATH, '/usr/bin/chromium'].find((file) => file !== undefined && existsSync(file)) ?? null;

/** A describe that runs with a browser, and says why when it cannot. */
export function describeInBrowser(name: string, body: () => void): void {
  if (CHROMIUM !== null) return void describe(name, body);
  process.stderr.write(`Skipped "${name}": no Chromium at CHROMIUM_PATH or /usr/bin/chromium; install one (apt-get install chromium) to run it.\n`);
  describe.skip(name, body);
}

export interface TestBrowser {
  readonly context: BrowserContext;
  /** Everything that pages wrote to their consoles as an error, and what they threw. Nothing is expected. */
  readonly complaints: string[];
  openPage(url: string): Promise<Page>;
  close(): Promise<void>;
}

export interface BrowserOptions {
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: 'light' | 'dark';
}

/** A browser of its own with nothing in it: own user data, no network of the vendor's. */
export async function startBrowser({ width = 1280, height = 800, colorScheme = 'light' }: BrowserOptions = {}): Promise<TestBrowser> {
  const userData = mkdtempSync(path.join(tmpdir(), 'chromium-'));
  const context = await chromium.launchPersistentContext(userData, {
    executablePath: CHROMIUM!, headless: true, viewport: { width, height }, colorScheme, locale: 'en-GB', timezoneId: 'UTC', reducedMotion: 'reduce',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  context.setDefaultTimeout(290_000);
  const complaints: string[] = [];
  context.on('page', (page) => {
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => { if (message.type() === 'error') complaints.push(`${message.text()} (${message.location().url})`); });
  });
  return {
    context, complaints,
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

/** Where pictures go: into the docs when asked for, else to a folder that nobody keeps. */
export function pictureFolder(inDocs: string): string {
  if (process.env.UPDATE_SCREENSHOTS !== '1') return mkdtempSync(path.join(tmpdir(), 'screenshots-'));
  const folder = path.join(__dirname, '..', '..', 'docs', inDocs);
  mkdirSync(folder, { recursive: true });
  return folder;
}

