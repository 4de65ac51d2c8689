import { request } from 'node:http';
import { ReplayAccount } from './replay/replay-account';
import type { Answer } from './replay/replay';
import { parseMultipart, MalformedMultipart } from './double/http/multipart';

let replay: ReplayAccount;
let conversationId: number;
const A = '/api/v1/accounts/1';

beforeEach(async () => {
  replay = await ReplayAccount.open();
  conversationId = (await replay.conversation()).id;
  replay.double.clearRequests();
});
afterEach(() => replay.close());

const post = (content: string) => replay.raw('ADA', 'POST', `/conversations/${conversationId}/messages`, { content });
const contents = async () => (await replay.history(conversationId)).map(message => message.content);

describe('an injected fault', () => {
  it.each(['status:500', 'status:422', 'status:429', 'status:401', 'status:503'] as const)(
    '%s responds and does nothing',
    async mode => {
      replay.double.failNext({ match: { method: 'POST', path: '/messages' }, mode });
      expect((await post('lost')).status).toBe(Number(mode.slice(7)));
      expect((await post('kept')).status).toBe(200);
      expect(await contents()).toEqual(['kept']);
    },
  );

  it('cutBeforeApply closes the connection and does nothing', async () => {
    replay.double.failNext({ match: { path: /messages$/ }, mode: 'cutBeforeApply', times: 2 });
    await expect(post('lost')).rejects.toThrow();
    await expect(post('lost')).rejects.toThrow();
    expect(await contents()).toEqual([]);
  });

  it('applyThenCut closes the connection after doing everything', async () => {
    replay.double.failNext({ match: { path: '/messages' }, mode: 'applyThenCut' });
    await expect(post('stored')).rejects.toThrow();
    expect(await contents()).toEqual(['stored']);
  });

  it('applyThen500 responds with an error after doing everything', async () => {
    replay.double.failNext({ match: { path: '/messages' }, mode: 'applyThen500' });
    expect((await post('stored')).status).toBe(500);
    expect(await contents()).toEqual(['stored']);
  });

  it('hang never responds', async () => {
    replay.double.failNext({ mode: 'hang' });
    await expect(fetch(`${replay.double.baseUrl}/api`, { signal: AbortSignal.timeout(100) })).rejects.toThrow();
    expect(replay.double.requests().at(-1)).toMatchObject({ path: '/api', status: 'hung' });
  });

  it('latencyMs alone only takes longer', async () => {
    replay.double.failNext({ match: { path: '/messages' }, latencyMs: 60 });
    const start = Date.now();
    expect((await post('slow')).status).toBe(200);
    expect(Date.now() - start).toBeGreaterThanOrEqual(55);
  });
});

it("the double keeps a journal of requests and responses, without the agents' own actions", async () => {
  await post('one');
  await replay.agent(ReplayAccount.ALICE, conversationId).reply('two');
  await replay.raw('CAROL', 'GET', `/conversations/${conversationId}`);
  expect(replay.double.requests().map(({ method, path, status }) => [method, path, status])).toEqual([
    ['POST', `${A}/conversations/${conversationId}/messages`, 200],
    ['GET', `${A}/conversations/${conversationId}`, 401],
  ]);
});

it('the double refuses connections while the web process is down and returns on the same port', async () => {
  await replay.double.outage('web');
  await expect(post('nobody home')).rejects.toThrow();
  await replay.double.outage(null);
  expect((await post('back')).status).toBe(200);
});

it('the double can be controlled from another process', async () => {
  const control = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${replay.double.baseUrl}/_double${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Answer };
  };
  await control('POST', `/users/${ReplayAccount.ALICE}/online`);
  expect(
    (await replay.call('GET', '/agents')).find((agent: { id: number }) => agent.id === ReplayAccount.ALICE)
      .availability_status,
  ).toBe('online');
  const act = { action: 'reply', account_id: 1, conversation_id: conversationId, content: 'from afar' };
  expect((await control('POST', `/users/${ReplayAccount.ALICE}/act`, act)).status).toBe(200);
  expect(await control('POST', `/users/${ReplayAccount.CAROL}/act`, act)).toMatchObject({ status: 422 });
  await control('POST', '/next_ids', { message: 60 });
  expect(JSON.parse((await post('counted')).text)).toMatchObject({ id: 60 });
  expect(await control('POST', '/next_ids', { message: 60 })).toMatchObject({ status: 422 });
  await control('POST', '/faults', { match: { path: '/messages$/' }, mode: 'status:500' });
  expect((await post('fails')).status).toBe(500);
  expect((await control('GET', '/requests')).body.at(-1)).toMatchObject({ status: 500 });
  expect((await control('GET', '/deliveries')).body).toEqual([]);
  expect((await control('GET', '/nothing')).status).toBe(404);
});

describe('the next ids', () => {
  it('are those that a test requests, and count on from there', async () => {
    replay.double.setNextIds({ message: 46, conversation: 23 });
    const ids = [await post('one'), await post('two')].map(({ text }) => (JSON.parse(text) as { id: number }).id);
    expect(ids).toEqual([46, 47]);
    expect((await replay.conversation()).id).toBe(23);
    expect((await replay.conversation()).id).toBe(24);
  });

  it('are never used twice', async () => {
    replay.double.setNextIds({ message: 46 });
    await post('one');
    expect(() => replay.double.setNextIds({ message: 46 })).toThrow('46 is already in use');
    expect(() => replay.double.setNextIds({ conversation: conversationId })).toThrow(
      `${conversationId} is already in use`,
    );
  });
});

describe('a multipart body', () => {
  const send = async (form: FormData) => {
    const response = await fetch(`${replay.double.baseUrl}${A}/conversations/${conversationId}/messages`, {
      method: 'POST',
      headers: { 'api-access-token': replay.theatre.translate('<ADA_TOKEN>') },
      body: form,
    });
    return {
      status: response.status,
      body: (await response.json()) as {
        attachments: Array<Record<string, string>>;
        content_attributes: unknown;
        private: boolean;
      },
    };
  };

  it('contains files whose bytes are returned at data_url, after a redirect', async () => {
    const bytes = Buffer.from([0, 13, 10, 45, 45, 255, 13, 10, 13, 10, 45, 45]);
    const form = new FormData();
    form.append('private', 'true');
    form.append('content_attributes', JSON.stringify({ ours: 1 }));
    form.append('attachments[]', new Blob([bytes], { type: 'audio/ogg' }), 'grüße "1".ogg');
    const { body } = await send(form);
    expect(body).toMatchObject({ private: true, content_attributes: { ours: 1 } });
    expect(body.attachments[0]).toMatchObject({ file_type: 'audio', file_size: bytes.length });
    const dataUrl = body.attachments[0]?.['data_url'] as string;
    expect((await fetch(dataUrl, { redirect: 'manual' })).status).toBe(302);
    const got = await fetch(dataUrl);
    expect(Buffer.from(await got.arrayBuffer()).equals(bytes)).toBe(true);
    expect(got.headers.get('content-type')).toBe('audio/ogg');
  });

  it('accepts nested names, and an uploaded file by its signed id', async () => {
    const upload = new FormData();
    upload.append('attachment', new Blob(['hello'], { type: 'text/plain' }), 'up.txt');
    const uploaded = await fetch(`${replay.double.baseUrl}${A}/upload`, {
      method: 'POST',
      headers: { 'api-access-token': replay.theatre.translate('<ADA_TOKEN>') },
      body: upload,
    });
    const { blob_id: blobId } = (await uploaded.json()) as { blob_id: string };
    const form = new FormData();
    form.append('content_attributes[a][b]', 'c');
    form.append('attachments[]', blobId);
    const { body } = await send(form);
    expect(body.content_attributes).toEqual({ a: { b: 'c' } });
    expect(body.attachments[0]?.['data_url']).toMatch(/up\.txt$/);
  });

  it('is refused when it is incomplete', async () => {
    const status = await new Promise<number | undefined>(resolve => {
      const broken = request(
        `${replay.double.baseUrl}${A}/conversations/${conversationId}/messages`,
        {
          method: 'POST',
          headers: {
            'api-access-token': replay.theatre.translate('<ADA_TOKEN>'),
            'content-type': 'multipart/form-data; boundary=b',
          },
        },
        response => resolve(response.resume().statusCode),
      );
      broken.end('--b\r\ncontent-disposition: form-data; name="content"\r\n\r\nhalf');
    });
    expect(status).toBe(400);
  });

  it('is split only where a whole line is the boundary', () => {
    const body = Buffer.from(
      'preamble\r\n--b\r\nContent-Disposition: form-data; name="f"; filename="a\\"b.txt"\r\n\r\n--bc\r\nx--b\r\n--b--x\r\n--b--\r\n',
    );
    const parts = parseMultipart(body, 'b');
    expect(parts[0]?.filename).toBe('a"b.txt');
    expect(parts[0]?.bytes.toString()).toBe('--bc\r\nx--b\r\n--b--x');
    expect(() => parseMultipart(Buffer.from('nothing'), 'b')).toThrow(MalformedMultipart);
  });
});
