import { request } from 'node:http';
import { ReplayAccount } from './replay/replay-account';
import type { Answer } from './replay/replay';
import { parseMultipart, MalformedMultipart } from './double/http/multipart';

let stage: ReplayAccount;
let conversationId: number;
const A = '/api/v1/accounts/1';

beforeEach(async () => {
  stage = await ReplayAccount.open();
  conversationId = (await stage.conversation()).id;
  stage.double.clearRequests();
});
afterEach(() => stage.close());

const post = (content: string) => stage.raw('ADA', 'POST', `/conversations/${conversationId}/messages`, { content });
const contents = async () => (await stage.history(conversationId)).map(message => message.content);

describe('a fault', () => {
  it.each(['status:500', 'status:422', 'status:429', 'status:401', 'status:503'] as const)(
    '%s answers and does nothing',
    async mode => {
      stage.double.failNext({ match: { method: 'POST', path: '/messages' }, mode });
      expect((await post('lost')).status).toBe(Number(mode.slice(7)));
      expect((await post('kept')).status).toBe(200);
      expect(await contents()).toEqual(['kept']);
    },
  );

  it('cutBeforeApply closes the connection and does nothing', async () => {
    stage.double.failNext({ match: { path: /messages$/ }, mode: 'cutBeforeApply', times: 2 });
    await expect(post('lost')).rejects.toThrow();
    await expect(post('lost')).rejects.toThrow();
    expect(await contents()).toEqual([]);
  });

  it('applyThenCut closes the connection and did everything', async () => {
    stage.double.failNext({ match: { path: '/messages' }, mode: 'applyThenCut' });
    await expect(post('stored')).rejects.toThrow();
    expect(await contents()).toEqual(['stored']);
  });

  it('applyThen500 answers an error and did everything', async () => {
    stage.double.failNext({ match: { path: '/messages' }, mode: 'applyThen500' });
    expect((await post('stored')).status).toBe(500);
    expect(await contents()).toEqual(['stored']);
  });

  it('hang never answers', async () => {
    stage.double.failNext({ mode: 'hang' });
    await expect(fetch(`${stage.double.baseUrl}/api`, { signal: AbortSignal.timeout(100) })).rejects.toThrow();
    expect(stage.double.requests().at(-1)).toMatchObject({ path: '/api', status: 'hung' });
  });

  it('latencyMs alone only takes longer', async () => {
    stage.double.failNext({ match: { path: '/messages' }, latencyMs: 60 });
    const start = Date.now();
    expect((await post('slow')).status).toBe(200);
    expect(Date.now() - start).toBeGreaterThanOrEqual(55);
  });
});

it("keeps a journal of what was asked and answered, without the agents' own doings", async () => {
  await post('one');
  await stage.agent(ReplayAccount.ALICE, conversationId).reply('two');
  await stage.raw('CAROL', 'GET', `/conversations/${conversationId}`);
  expect(stage.double.requests().map(({ method, path, status }) => [method, path, status])).toEqual([
    ['POST', `${A}/conversations/${conversationId}/messages`, 200],
    ['GET', `${A}/conversations/${conversationId}`, 401],
  ]);
});

it('refuses connections while the web process is down and is back on the same port', async () => {
  await stage.double.outage('web');
  await expect(post('nobody home')).rejects.toThrow();
  await stage.double.outage(null);
  expect((await post('back')).status).toBe(200);
});

it('can be steered from another process', async () => {
  const control = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${stage.double.baseUrl}/_double${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Answer };
  };
  await control('POST', `/users/${ReplayAccount.ALICE}/online`);
  expect(
    (await stage.call('GET', '/agents')).find((agent: { id: number }) => agent.id === ReplayAccount.ALICE)
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

describe('the numbers that come next', () => {
  it('are those that a test asks for, and count on from there', async () => {
    stage.double.setNextIds({ message: 46, conversation: 23 });
    const ids = [await post('one'), await post('two')].map(({ text }) => (JSON.parse(text) as { id: number }).id);
    expect(ids).toEqual([46, 47]);
    expect((await stage.conversation()).id).toBe(23);
    expect((await stage.conversation()).id).toBe(24);
  });

  it('are never given twice', async () => {
    stage.double.setNextIds({ message: 46 });
    await post('one');
    expect(() => stage.double.setNextIds({ message: 46 })).toThrow('46 is already in use');
    expect(() => stage.double.setNextIds({ conversation: conversationId })).toThrow(
      `${conversationId} is already in use`,
    );
  });
});

describe('a multipart body', () => {
  const send = async (form: FormData) => {
    const response = await fetch(`${stage.double.baseUrl}${A}/conversations/${conversationId}/messages`, {
      method: 'POST',
      headers: { 'api-access-token': stage.theatre.translate('<ADA_TOKEN>') },
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

  it('brings files whose bytes come back at data_url, after a redirect', async () => {
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

  it('takes nested names, and an uploaded file by its signed id', async () => {
    const upload = new FormData();
    upload.append('attachment', new Blob(['hello'], { type: 'text/plain' }), 'up.txt');
    const uploaded = await fetch(`${stage.double.baseUrl}${A}/upload`, {
      method: 'POST',
      headers: { 'api-access-token': stage.theatre.translate('<ADA_TOKEN>') },
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

  it('is refused when it breaks off', async () => {
    const status = await new Promise<number | undefined>(resolve => {
      const broken = request(
        `${stage.double.baseUrl}${A}/conversations/${conversationId}/messages`,
        {
          method: 'POST',
          headers: {
            'api-access-token': stage.theatre.translate('<ADA_TOKEN>'),
            'content-type': 'multipart/form-data; boundary=b',
          },
        },
        response => resolve(response.resume().statusCode),
      );
      broken.end('--b\r\ncontent-disposition: form-data; name="content"\r\n\r\nhalf');
    });
    expect(status).toBe(400);
  });

  it('is cut only where a whole line is the boundary', () => {
    const body = Buffer.from(
      'preamble\r\n--b\r\nContent-Disposition: form-data; name="f"; filename="a\\"b.txt"\r\n\r\n--bc\r\nx--b\r\n--b--x\r\n--b--\r\n',
    );
    const parts = parseMultipart(body, 'b');
    expect(parts[0]?.filename).toBe('a"b.txt');
    expect(parts[0]?.bytes.toString()).toBe('--bc\r\nx--b\r\n--b--x');
    expect(() => parseMultipart(Buffer.from('nothing'), 'b')).toThrow(MalformedMultipart);
  });
});
