import { describeError } from './describe-error';

const SECRET =
  /authorization|cookie|secret|token|password|passwd|credential|signature|api[-_]?key|bot[-_]?key|shared[-_]?key|webhook[-_]?url|database[-_]?url|^jwt$/i;
const CONTENT = /^(text|body|raw[-_]?body|content|summary|email|phone|variables|query|(file[-_]?)?names?)$/i;
const MAX_DEPTH = 6;

/** Copies a log line's fields, with secrets and message text replaced. Decides by the fields' names, at any depth. */
export function redactFields(fields: object): Record<string, unknown> {
  return redactValue(fields, 0) as Record<string, unknown>;
}

function redactValue(value: unknown, depth: number): unknown {
  if (value instanceof Error) return describeError(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return value;
  if (value instanceof URL) return `${value.protocol}//${value.host}`;
  if (ArrayBuffer.isView(value)) return `(${value.byteLength} bytes)`;
  if (depth >= MAX_DEPTH) return '(too deep)';
  if (Array.isArray(value)) return value.map(item => redactValue(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, replacementFor(name, inner) ?? redactValue(inner, depth + 1)]),
  );
}

function replacementFor(name: string, value: unknown): string | null {
  if (value === null || value === undefined || typeof value === 'boolean') return null;
  if (SECRET.test(name)) return typeof value === 'number' ? null : '(secret)';
  return CONTENT.test(name) && typeof value !== 'number' ? '(content)' : null;
}
