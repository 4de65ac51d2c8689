import { addressProblem, MAX_ADDRESS_LENGTH } from '../../../src/core/checks/url';

describe("the form of a tenant's address", () => {
  it.each([
    ['https://chatwoot.example.com'],
    ['http://127.0.0.1:3000/'],
    ['HTTPS://chatwoot.example.com/sub/path/'],
    ['https://[2001:db8::1]:8443/x'],
  ])('accepts %s as a base URL', text => expect(addressProblem(text, 'base')).toBeNull());

  it.each([
    ['an empty query', 'https://chatwoot.example.com?'],
    ['a query', 'https://chatwoot.example.com/?x=1'],
    ['an empty fragment', 'https://chatwoot.example.com/admin#'],
    ['a fragment', 'https://chatwoot.example.com/#a'],
    ['a user', 'https://me@chatwoot.example.com'],
    ['a user and password', 'https://me:pass@chatwoot.example.com'],
    ['an empty user', 'https://@chatwoot.example.com'],
    ['a backslash', 'https://chatwoot.example.com\\admin'],
    ['a backslash for the host', 'https:\\\\internal'],
    ['a space at its end', 'https://chatwoot.example.com '],
    ['a tab in the middle', 'https://chatwoot.exa\tmple.com'],
    ['a line break', 'https://chatwoot.example.com\n/x'],
    ['NUL', 'https://chatwoot.example.com/\u0000'],
    ['a space of no width', 'https://chatwoot\u200b.example.com'],
    ['a dot segment', 'https://chatwoot.example.com/a/../b'],
    ['an encoded dot segment', 'https://chatwoot.example.com/%2E%2e/b'],
    ['no slashes', 'https:chatwoot.example.com'],
    ['one slash', 'https:/chatwoot.example.com'],
    ['three slashes', 'https:///chatwoot.example.com'],
    ['no host', 'https://'],
    ['another scheme', 'ftp://chatwoot.example.com'],
    ['a script', 'javascript:alert(1)'],
    ['data', 'data:text/plain,x'],
    ['a file', 'file:///etc/passwd'],
    ['nothing', ''],
    ['words', 'chatwoot.example.com'],
    ['too much', `https://chatwoot.example.com/${'x'.repeat(MAX_ADDRESS_LENGTH)}`],
  ])('refuses %s as a base URL', (_what, text) => {
    expect(addressProblem(text, 'base')).toMatch(/^(The|This) .+[.]$/s);
    expect(addressProblem(text, 'base')).not.toContain('chatwoot');
  });

  it('allows a query in an endpoint, and no fragment', () => {
    expect(addressProblem('https://bot.example.com/support?key=1', 'endpoint')).toBeNull();
    expect(addressProblem('https://bot.example.com/support#', 'endpoint')).toContain('#');
  });

  it('allows a query and a fragment in a link', () => {
    expect(addressProblem('https://files.example.com/a.pdf?X-Amz-Signature=abc#page=2', 'link')).toBeNull();
    for (const text of [
      'data:image/png;base64,AAAA',
      'javascript:alert(1)',
      'https://user:pass@files.example.com/',
      'https://files.example.com/a b',
      'https:\\\\files.example.com',
    ])
      expect(addressProblem(text, 'link')).not.toBeNull();
  });
});
