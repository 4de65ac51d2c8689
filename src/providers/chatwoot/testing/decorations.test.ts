import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createChatwootWorld, ORG, type ChatwootWorld } from './chatwoot-world';

const scope = { organizationId: ORG };
const json = (body: unknown, status: number) =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });

/**
 * Replaces the double's responses. `before` replaces one so that nothing is stored, unless it returns null; `after`
 * changes one after the double has stored it.
 */
interface Unkind {
  before?(call: Sent): Response | null;
  after?(call: Sent, body: any): unknown;
}
interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body: any;
  readonly form: string | null;
}

let unkind: Unkind = {};
const calls: Sent[] = [];
const throughUnkind =
  (fetch: typeof globalThis.fetch): typeof globalThis.fetch =>
  async (input, init) => {
    const url = new URL(String(input));
    const isForm = init?.body instanceof Blob;
    const call: Sent = {
      method: init?.method ?? 'GET',
      path: url.pathname.replace(/^\/api\/v1\/accounts\/\d+/, '').replace(/\/\d+/g, ''),
      body: typeof init?.body === 'string' ? JSON.parse(init.body) : {},
      form: isForm ? await (init.body as Blob).text() : null,
    };
    calls.push(call);
    const instead = unkind.before?.(call) ?? null;
    if (instead !== null) return instead;
    const response = await fetch(input, init);
    if (unkind.after === undefined || !response.ok || call.path !== '/conversations/messages') return response;
    const text = await response.text();
    return json(text === '' ? {} : (unkind.after(call, JSON.parse(text)) ?? JSON.parse(text)), response.status);
  };

let world: ChatwootWorld;
let sessions = 0;
let filesUrl: string;
const files = createServer((_request, response) => {
  response.end('content');
});
beforeAll(async () => {
  world = await createChatwootWorld({ messagesPerMinute: 100_000, fetch: throughUnkind(fetch) });
  await new Promise<void>(resolve => files.listen(0, '127.0.0.1', resolve));
  filesUrl = `http://127.0.0.1:${(files.address() as AddressInfo).port}`;
});
beforeEach(() => {
  unkind = {};
  calls.length = 0;
});
afterAll(async () => {
  files.closeAllConnections();
  files.close();
  await world.close();
});

const endUser = {
  name: 'Eve',
  email: 'eve@users.example',
  phone: '+15550100499',
  locale: 'de-AT',
  attributes: { plan: 'gold' },
};
const open = async (more: object = {}, externalId = `visitor-${++sessions}`) => {
  const unique = { email: `eve-${externalId}@users.example`, phone: `+1555${String(1_000_000 + sessions)}` };
  return (
    await world.flows.openSession(scope, {
      chatbotId: 'bot-1',
      channel: 'web',
      externalId,
      endUser: { ...endUser, ...unique, ...more },
    })
  ).session.id;
};
const contactOf = async (id: string) =>
  (await world.farSide.get(`${world.accountPath}/contacts/${(await world.session(id)).contactId}`, world.admin))
    .payload;
const file = (name = 'cat.png') => ({ url: `${filesUrl}/${name}`, name, contentType: 'image/png', sizeBytes: null });
const noteTexts = async (id: string) =>
  (await world.messages(id)).filter(row => row.private).map(row => row.content as string);
const isContact = ({ method, path }: Sent) => method === 'POST' && path === '/contacts';
const isPost = ({ method, path }: Sent) => method === 'POST' && path === '/conversations/messages';
const invalid = (...attributes: string[]) => json({ message: 'Validation failed', attributes }, 422);
const validation = (text: string) => json({ error: `Validation failed: ${text}` }, 422);
const crash = () => json({ status: 500, error: 'Internal Server Error' }, 500);

/** Each decoration of a handoff, refused as Chatwoot does: CONTRACT §1, §2.1 to 2.4, §7. */
const REFUSED: readonly [what: string, Unkind, Parameters<ChatwootWorld['ask']>[1], object][] = [
  [
    'a name of 256 characters',
    { before: call => (isContact(call) && [...call.body.name].length > 255 ? invalid('name') : null) },
    {},
    { name: 'N'.repeat(256) },
  ],
  [
    'a name of 500 characters',
    { before: call => (isContact(call) && [...call.body.name].length > 255 ? invalid('name') : null) },
    {},
    { name: 'N'.repeat(500) },
  ],
  ['any name at all', { before: call => (call.body.name === 'Eve' ? invalid('name') : null) }, {}, {}],
  ['an e-mail address', { before: call => (call.body.email ? invalid('email') : null) }, {}, {}],
  [
    'a phone number and an e-mail address',
    { before: call => (call.body.email ? invalid('email') : call.body.phone_number ? invalid('phone_number') : null) },
    {},
    {},
  ],
  ['attributes, by a crash', { before: call => (call.body.custom_attributes?.plan ? crash() : null) }, {}, {}],
  [
    'attributes, as no Unicode',
    { before: call => (call.body.custom_attributes?.plan ? json({ status: 400, error: 'Bad Request' }, 400) : null) },
    {},
    {},
  ],
  [
    'the note',
    { before: call => (isPost(call) && call.body.private ? validation('Content is not what we like') : null) },
    { reason: 'refund' },
    {},
  ],
  [
    'the priority',
    { before: ({ path }) => (path.endsWith('/toggle_priority') ? validation('Priority') : null) },
    { priority: 'HIGH' },
    {},
  ],
  [
    'files, as too large',
    { before: ({ form }) => (form === null ? null : new Response('<html>413</html>', { status: 413 })) },
    {},
    {},
  ],
  [
    'files, by a validation',
    { before: ({ form }) => (form === null ? null : validation('Attachments is invalid')) },
    {},
    {},
  ],
  ['files, by a crash', { before: ({ form }) => (form === null ? null : crash()) }, {}, {}],
];

describe('a part of a handoff that Chatwoot refuses is dropped alone', () => {
  it.each(REFUSED)('%s', async (_what, how, more, known) => {
    unkind = how;
    const id = await open(known);
    await world.user(id, 'I want my money back', { attachments: [file()] });
    await world.bot(id, 'One moment');
    const { handoff } = await world.ask(id, more);
    expect(await world.deliverAll()).toEqual([]);
    expect((await world.handoff(handoff.id)).state).toBe('QUEUED');
    expect((await world.conversation(id)).status).toBe('open');
    const said = (await world.messages(id)).filter(row => !row.private);
    expect(said.map(({ content }) => content.split('\n')[0])).toEqual(['I want my money back', 'One moment']);
    expect(said[0].content.includes('[cat.png]') !== (said[0].attachments ?? []).length > 0).toBe(true);
  });

  it('an unknown team', async () => {
    const team = await world.addTeam(`gone-${sessions}`);
    await world.flows.refreshDirectory(scope, world.account.id);
    await world.farSide.call('DELETE', `${world.accountPath}/teams/${team.id}`, world.admin);
    const id = await open();
    await world.user(id, 'help');
    const { handoff } = await world.ask(id, { target: { team: String(team.id), agent: null } });
    expect(await world.deliverAll()).toEqual([]);
    expect((await world.handoff(handoff.id)).state).toBe('QUEUED');
    expect(await noteTexts(id)).toEqual([expect.stringContaining(`Team: ${team.name}`)]);
  });
});

describe('the contact', () => {
  it('with a long name shows its beginning, has all of it in an attribute, and agents are notified', async () => {
    const name = `${'N'.repeat(300)} the Last`;
    unkind = { before: call => (call.body.name?.length > 255 ? invalid('name') : null) };
    const id = await open({ name });
    await world.user(id, 'hi');
    expect(await world.deliverAll()).toEqual([]);
    expect(await contactOf(id)).toMatchObject({
      name: `${'N'.repeat(254)}…`,
      custom_attributes: { support_name: name, plan: 'gold' },
    });
    expect(await noteTexts(id)).toEqual([
      `Not all that is known of the end-user could be shown on their contact:\nName: ${name}`,
    ]);
  });

  it('whose fields make Chatwoot crash is created without them, and shows the others', async () => {
    unkind = { before: call => (call.body.phone_number ? crash() : null) };
    const id = await open();
    await world.user(id, 'hi');
    expect(await world.deliverAll()).toEqual([]);
    expect(await contactOf(id)).toMatchObject({
      name: 'Eve',
      email: expect.stringContaining('@users.example'),
      phone_number: null,
      custom_attributes: { plan: 'gold' },
    });
    expect(await noteTexts(id)).toEqual([expect.stringMatching(/Phone: \+1555\d+$/)]);
  });

  it('is created by the next attempt after an outage of Chatwoot', async () => {
    unkind = { before: call => (isContact(call) ? crash() : null) };
    const id = await open();
    await world.user(id, 'hi');
    expect(await world.deliverAll()).toEqual(['PROVIDER_UNAVAILABLE']);
    unkind = {};
    expect(await world.deliverAll()).toEqual([]);
    expect(await contactOf(id)).toMatchObject({ name: 'Eve', custom_attributes: { plan: 'gold' } });
  });

  it("shows data learned later, and keeps agents' changes", async () => {
    const externalId = `late-${++sessions}`;
    const { session } = await world.flows.openSession(scope, {
      chatbotId: 'bot-1',
      channel: 'web',
      externalId,
      endUser: {},
    });
    await world.user(session.id, 'hi');
    await world.deliverAll();
    expect((await contactOf(session.id)).name).toBe(`Visitor ${session.id.slice(0, 8)}`);
    const learn = async (more: object) => {
      await world.flows.openSession(scope, { chatbotId: 'bot-1', channel: 'web', externalId, endUser: more });
      expect(await world.deliverAll()).toEqual([]);
      return contactOf(session.id);
    };
    expect(await learn({ name: 'Eve', email: 'late@users.example', attributes: { plan: 'gold' } })).toMatchObject({
      name: 'Eve',
      email: 'late@users.example',
      custom_attributes: { plan: 'gold' },
    });
    await world.farSide.call(
      'PUT',
      `${world.accountPath}/contacts/${(await world.session(session.id)).contactId}`,
      world.admin,
      { name: 'Eve (VIP)', custom_attributes: { plan: 'platinum' } },
    );
    expect(
      await learn({
        name: 'Eve Newname',
        email: 'later@users.example',
        phone: '+15559990001',
        attributes: { plan: 'silver' },
      }),
    ).toMatchObject({
      name: 'Eve (VIP)',
      email: 'later@users.example',
      phone_number: '+15559990001',
      custom_attributes: { plan: 'platinum' },
    });
    expect(await noteTexts(session.id)).toEqual([]);
  });

  it("keeps another contact's address as an attribute, when it is learned later", async () => {
    const other = await open();
    await world.user(other, 'hi');
    await world.deliverAll();
    const { email } = await contactOf(other);
    const externalId = `twin-${++sessions}`;
    const id = await open({ email: null }, externalId);
    await world.user(id, 'hi');
    await world.deliverAll();
    await open({ email }, externalId);
    await world.user(id, 'still here');
    expect(await world.deliverAll()).toEqual([]);
    expect(await contactOf(id)).toMatchObject({ email: null, custom_attributes: { support_email: email } });
    expect(await noteTexts(id)).toEqual([expect.stringContaining(`E-mail: ${email}`)]);
    expect((await world.messages(id)).filter(row => !row.private).map(({ content }) => content)).toEqual([
      'hi',
      'still here',
    ]);
  });

  it('that agents merged into another costs nothing but the update', async () => {
    const externalId = `merged-${++sessions}`;
    const id = await open({}, externalId);
    await world.user(id, 'hi');
    await world.deliverAll();
    unkind = {
      before: ({ method, path }) =>
        method === 'GET' && path === '/contacts' ? json({ error: 'Resource could not be found' }, 404) : null,
    };
    await open({ name: 'Eve Newname' }, externalId);
    await world.user(id, 'still here');
    expect(await world.deliverAll()).toEqual([]);
    expect((await world.messages(id)).filter(row => !row.private).map(({ content }) => content)).toEqual([
      'hi',
      'still here',
    ]);
  });
});

describe('a context note', () => {
  it('that is too long for a message is shortened, with all of it in a file', async () => {
    const id = await open();
    await world.user(id, 'help');
    const fields = Object.fromEntries(
      Array.from({ length: 40 }, (_, n) => [`Field ${n}`, `${'{{x}} words '.repeat(800)}end ${n}`]),
    );
    const { handoff } = await world.ask(id, { summary: `It is about ${'this and '.repeat(1_000)}`, fields });
    expect(await world.deliverAll()).toEqual([]);
    expect((await world.handoff(handoff.id)).state).toBe('QUEUED');
    const notes = (await world.messages(id)).filter(row => row.private);
    expect(notes).toHaveLength(1);
    expect(notes[0].content).toMatch(
      /^Handed over by the bot\.\nSummary: It is about this and [^]+\n\n… Shortened: the whole text is in the attached file note\.txt\.$/,
    );
    const [attached] = notes[0].attachments;
    const whole = await (await fetch(attached.data_url)).text();
    expect(whole).toContain('Field 39: {{x}} words ');
    expect(whole.endsWith('end 39')).toBe(true);
  });
});

describe('a file', () => {
  const say = async (text: string) => {
    const id = await open();
    await world.user(id, 'first');
    await world.deliverAll();
    await world.user(id, text, { attachments: [file('cat.png'), file('dog.png')] });
    return id;
  };
  /** Removes a file from the response and the history, as if it had not been stored. */
  const without = (name: string) => {
    const less = (row: any) => ({
      ...row,
      ...(row.attachments && { attachments: row.attachments.filter((one: any) => !one.data_url.endsWith(name)) }),
    });
    return {
      after: (call: Sent, body: any) => (isPost(call) ? less(body) : { ...body, payload: body.payload.map(less) }),
    };
  };

  it('that Chatwoot omits is named to agents once, and the text is posted once', async () => {
    unkind = without('dog.png');
    const id = await say('look');
    expect(await world.deliverAll()).toEqual([]);
    const rows = await world.messages(id);
    expect(rows.map(({ content, private: isPrivate }) => [content, isPrivate])).toEqual([
      ['first', false],
      ['look', false],
      [`Chatwoot did not store all files of the message before this. Missing:\n[dog.png]`, true],
    ]);
  });

  it('that is omitted is named once also when the note about it fails first', async () => {
    unkind = {
      ...without('cat.png'),
      before: call => (isPost(call) && call.body.private ? new Response('', { status: 503 }) : null),
    };
    const id = await say('look');
    expect(await world.deliverAll()).toEqual(['PROVIDER_UNAVAILABLE']);
    unkind = without('cat.png');
    expect(await world.deliverAll()).toEqual([]);
    expect((await world.messages(id)).map(({ content }) => content.split('\n').at(-1))).toEqual([
      'first',
      'look',
      '[cat.png]',
    ]);
  });

  it('of which Chatwoot stored the message and then failed is not posted again', async () => {
    const id = await say('look');
    world.double.failNext({ mode: 'applyThenCut', match: { method: 'POST', path: /\/messages$/ } });
    expect(await world.deliverAll()).toEqual(['PROVIDER_UNAVAILABLE']);
    expect(await world.deliverAll()).toEqual([]);
    expect((await world.messages(id)).map(({ content, attachments = [] }) => [content, attachments.length])).toEqual([
      ['first', 0],
      ['look', 2],
    ]);
  });

  it('on which Chatwoot fails again and again does not hold back the text', async () => {
    const id = await say('look');
    unkind = {
      before: ({ form }) => {
        if (form !== null) throw Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNRESET' } });
        return null;
      },
    };
    const failures: string[] = [];
    for (let failed = await world.deliverAll(); failed.length > 0; failed = await world.deliverAll())
      failures.push(...failed);
    expect(failures.length).toBeLessThan(10);
    expect((await world.messages(id)).map(({ content }) => content)).toEqual([
      'first',
      'look\n[cat.png] could not be uploaded.\n[dog.png] could not be uploaded.',
    ]);
  });

  it('with a blank name goes under one that Chatwoot stores', async () => {
    const id = await open();
    await world.user(id, 'look', {
      attachments: [
        { ...file(), name: ' ' },
        { ...file(), name: '\t\n', contentType: 'audio/ogg' },
      ],
    });
    expect(await world.deliverAll()).toEqual([]);
    const forms = calls.flatMap(({ form }) =>
      form === null ? [] : [...form.matchAll(/filename="([^"]*)"/g)].map(([, name]) => name),
    );
    expect(forms).toEqual(['file.png', 'file.ogg']);
  });
});

it('a file of an agent reaches the runtime under a name that shows its type', async () => {
  const id = await open();
  await world.user(id, 'help');
  await world.deliverAll();
  const agent = await world.acting(await world.addPerson(`Alice${sessions}`), id);
  await agent.reply('see', {
    attachments: ['invoice\u202efdp.exe', 'invoice\u2066fdp.exe', '\u200b'].map(filename => ({
      filename,
      contentType: 'image/png',
      bytes: Buffer.from('x'),
    })),
  });
  await world.runDueSyncs();
  const [messageId] = (await world.inboxOf(id)).flatMap(({ notice }) =>
    notice.kind === 'MESSAGE' ? [notice.messageId] : [],
  );
  const message = await world.stores.messages.get(ORG, messageId!);
  // Chatwoot itself replaces the first character by a dash (CONTRACT 2.2) and keeps the other two.
  expect(message!.attachments.map(({ name }) => name)).toEqual([
    'invoice-fdp.exe',
    'invoicefdp.exe',
    expect.stringMatching(/^file/),
  ]);
});

it('agents see choices as they were written, one per line', async () => {
  const id = await open();
  await world.bot(id, 'What do you want?', {
    content: {
      kind: 'CHOICES',
      style: 'BUTTONS',
      items: [
        { title: 'Refund', value: 'r' },
        { title: 'Replacement', value: 's' },
      ],
    },
  });
  await world.deliverAll();
  // The screen joins the lines of input_select and form (CONTRACT §4.4).
  expect(await world.messages(id)).toMatchObject([
    { content: 'What do you want?\n1. Refund\n2. Replacement', content_type: 'text' },
  ]);
});
