import { escapeLiquid, MAX_CONTENT_LENGTH } from '../liquid';
import { renderLiquid } from './double/domain/liquid';

const DROPS = { contact: { name: 'Eve' }, x: { y: 'filled in' } };
const shownAs = (text: string) => renderLiquid(escapeLiquid(text), DROPS);

describe('text for outgoing messages', () => {
  it.each([
    'plain',
    '',
    '{',
    '}',
    '{}',
    '{{',
    '}}',
    '{%',
    '%}',
    '{{{',
    '{{{{',
    'Hello {{ contact.name }}',
    '{{contact.name}}',
    '{{nothing}}',
    '{{-x-}}',
    '{% if x %}yes{% endif %}',
    '{%- raw -%}{{x}}{%- endraw -%}',
    '{% comment %}gone?{% endcomment %}',
    'open {{ and never closed',
    'a {%',
    '`{{x}}`',
    'say `{{contact.name}}` or {{contact.name}}',
    '{`code`',
    '{{`code`}}',
    '`a{` {`b`',
    '`one` {{x}} `two',
    '`{{` and `}}`',
    '``{{x}}``',
    '```\n{{x}} {% if %}\n```\n{{x}}',
    '"{{ \'{\' }}"',
    'function f() { return `${{a: 1}.a}`; }',
    '\\{{x}}',
    '{\u2060{',
    '😀{{😀}}',
  ])('arrives unchanged: %j', text => {
    expect(shownAs(text)).toBe(text);
  });

  it('arrives unchanged, whatever is concatenated', () => {
    const pieces = [
      '{',
      '{{',
      '%',
      '}',
      '}}',
      '`',
      ' ',
      'x',
      '\n',
      'raw',
      '{% endif %}',
      '{{ contact.name }}',
      "'",
      '-',
    ];
    let seed = 7;
    const next = (below: number) => (seed = (seed * 1103515245 + 12345) % 2147483648) % below;
    for (let round = 0; round < 5000; round++) {
      const text = Array.from({ length: 1 + next(12) }, () => pieces[next(pieces.length)]).join('');
      expect({ text, shown: shownAs(text) }).toEqual({ text, shown: text });
    }
  });

  it('is not escaped where nothing could be parsed as a tag', () => {
    const json = '{"a": {"b": [1, 2]}, "c": "100 %"}';
    expect(escapeLiquid(json)).toBe(json);
  });

  it.each(['`{% endraw %}`', '`{%- endraw -%} {{contact.name}}` {{contact.name}}'])(
    'cannot leave a code span: %j',
    text => {
      expect(shownAs(text).replaceAll('\u2060', '')).toBe(text);
    },
  );

  it('still fits when it consists of braces', () => {
    const text = '{'.repeat(64_000);
    expect(escapeLiquid(text).length).toBeLessThanOrEqual(MAX_CONTENT_LENGTH);
    expect(shownAs(text).replaceAll('\u2060', '')).toBe(text);
  });
});
