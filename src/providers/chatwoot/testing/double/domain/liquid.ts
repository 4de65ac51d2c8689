/** The objects that a template may use: `{{ contact.name }}` reads `name` of `contact`. */
export type Drops = Record<string, Record<string, unknown>>;

class LiquidError extends Error {}

const FILTERS: Record<string, (value: string, argument: string) => string> = {
  upcase: value => value.toUpperCase(),
  downcase: value => value.toLowerCase(),
  capitalize: value => value.charAt(0).toUpperCase() + value.slice(1).toLowerCase(),
  strip: value => value.trim(),
  escape: value => value.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;'),
  append: (value, argument) => value + argument,
  prepend: (value, argument) => argument + value,
  default: (value, argument) => (value === '' ? argument : value),
};

/**
 * Renders an outgoing text as a Liquid template: known names are replaced, unknown ones vanish, code between backticks
 * stays. A text that is not a valid template is sent unchanged.
 */
export function renderLiquid(content: string, drops: Drops): string {
  try {
    return render(content.replace(/`(.*?)`/gs, '{% raw %}`$1`{% endraw %}'), drops);
  } catch (error) {
    if (error instanceof LiquidError) return content;
    throw error;
  }
}

function render(template: string, drops: Drops): string {
  let out = '';
  let rest = template;
  for (;;) {
    const open = /\{\{-?|\{%-?/.exec(rest);
    if (!open) return out + rest;
    out += rest.slice(0, open.index);
    const isTag = open[0].startsWith('{%');
    const end = rest.indexOf(isTag ? '%}' : '}}', open.index + 2);
    if (end === -1) throw new LiquidError('not closed');
    const inside = rest
      .slice(open.index + open[0].length, end)
      .replace(/-$/, '')
      .trim();
    rest = rest.slice(end + 2);
    if (!isTag) out += evaluate(inside, drops);
    else ({ out, rest } = runTag(inside, out, rest, drops));
  }
}

function runTag(tag: string, out: string, rest: string, drops: Drops): { out: string; rest: string } {
  const [name, ...words] = tag.split(/\s+/);
  if (name !== 'raw' && name !== 'comment' && name !== 'if') throw new LiquidError(`unknown tag ${name}`);
  const end = new RegExp(`\\{%-?\\s*end${name}\\s*-?%\\}`).exec(rest);
  if (!end) throw new LiquidError(`${name} is not closed`);
  const inner = rest.slice(0, end.index);
  const after = rest.slice(end.index + end[0].length);
  if (name === 'raw') return { out: out + inner, rest: after };
  if (name === 'comment') return { out, rest: after };
  const [yes = '', no = ''] = inner.split(/\{%-?\s*else\s*-?%\}/);
  return { out: out + render(lookUp(words.join(' '), drops) === '' ? no : yes, drops), rest: after };
}

function evaluate(expression: string, drops: Drops): string {
  const [path = '', ...filters] = expression.split('|').map(piece => piece.trim());
  return filters.reduce(
    (value, filter) => {
      const [name = '', argument = ''] = filter.split(/:\s*/);
      const apply = FILTERS[name];
      return apply ? apply(value, argument.replace(/^['"]|['"]$/g, '')) : value;
    },
    lookUp(path, drops),
  );
}

function lookUp(path: string, drops: Drops): string {
  if (/^'.*'$|^".*"$/s.test(path)) return path.slice(1, -1);
  let value: unknown = drops;
  for (const key of path.split('.'))
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
  return value === undefined || value === null || typeof value === 'object' ? '' : String(value);
}
