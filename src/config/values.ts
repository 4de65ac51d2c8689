import { isIP } from 'node:net';
import { IPv4, IPv6 } from 'ipaddr.js';
import { z } from 'zod';
import type { BotKey } from '../identity/identify';
import { isLoopbackHost } from '../identity/loopback-host';

/** Parsers for the kinds of values. settings.ts has the description of valid values for errors. */

const parsedUrl = z.string().transform((text, context) => {
  if (URL.canParse(text)) return new URL(text);
  context.addIssue('not a URL');
  return z.NEVER;
});

export const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .pipe(z.number().min(min).max(max));

export const text = (minLength: number, maxLength = 10_000) =>
  z
    .string()
    .min(minLength)
    .max(maxLength)
    .regex(/^[\x21-\x7e]+$/);

export const name = z.string().min(1).max(1_000);

export const logLevel = z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']);

export const onOff = z.enum(['on', 'off']).transform(value => value === 'on');

const HOST_NAME = /^(?!.*\.\.)[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i;
export const host = z.string().refine(value => isIP(value) !== 0 || HOST_NAME.test(value));

/** Not normalized, because the driver has its own rules for escaping. */
export const postgresUrl = z.string().refine(value => {
  if (!URL.canParse(value)) return false;
  const { protocol, pathname } = new URL(value);
  return ['postgres:', 'postgresql:'].includes(protocol) && pathname.length > 1;
});

/** Removes trailing slashes, so that paths can be appended. */
export const baseUrl = parsedUrl
  .refine(
    url =>
      ['http:', 'https:'].includes(url.protocol) &&
      url.username === '' &&
      url.password === '' &&
      url.search === '' &&
      url.hash === '',
  )
  .transform(url => url.href.replace(/\/+$/, ''));

/** Requires https, except on this machine: whoever controls the keys controls access. */
export const keySetUrl = parsedUrl
  .refine(
    url =>
      url.username === '' &&
      url.password === '' &&
      (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname))),
  )
  .transform(url => url.href);

/** Parses 32 bytes as 64 hex digits or as base64 (also URL-safe or without padding). Returns base64. */
export const key256 = z.string().transform((value, context) => {
  const bytes = /^[0-9a-f]{64}$/i.test(value)
    ? Buffer.from(value, 'hex')
    : /^[A-Za-z0-9+/_-]{43}=?$/.test(value)
      ? Buffer.from(value, 'base64')
      : null;
  if (bytes?.length === 32) return bytes.toString('base64');
  context.addIssue('not 32 bytes');
  return z.NEVER;
});

/** A bucket name that S3 accepts, also by its older rules. */
export const bucketName = z
  .string()
  .regex(/^[a-z0-9A-Z][a-zA-Z0-9._-]{1,253}[a-zA-Z0-9]$/)
  .refine(value => !value.includes('..'));

/**
 * Characters that every S3 server accepts without escaping. Must end in `/`, so that no foreign object has our prefix
 * by chance.
 */
export const objectPrefix = z
  .string()
  .regex(/^[\w!.*()-][\w!.*()/-]{0,198}\/$/)
  .refine(value => !value.includes('//'));

/** Parses `none`, `all`, or the private addresses that may be called. */
export const allowedPrivateAddresses = z
  .string()
  .transform(
    (
      value,
      context,
    ): { readonly all: boolean; readonly hosts: readonly string[]; readonly networks: readonly string[] } => {
      if (value === 'none' || value === 'all') return { all: value === 'all', hosts: [], networks: [] };
      const entries = value.split(',').map(entry => entry.trim().toLowerCase());
      const networks = entries
        .filter(entry => /[/:]|^[\d.]+$/.test(entry))
        .map(entry => (isIP(entry) === 0 ? entry : `${entry}/${isIP(entry) === 6 ? 128 : 32}`));
      const hosts = entries.filter(entry => !/[/:]|^[\d.]+$/.test(entry));
      if (
        networks.every(network => IPv4.isValidCIDR(network) || IPv6.isValidCIDR(network)) &&
        hosts.every(entry => HOST_NAME.test(entry) && entry !== 'all' && entry !== 'none')
      )
        return { all: false, hosts, networks };
      context.addIssue('not hosts and networks');
      return z.NEVER;
    },
  );

/** Parses `none`, or file types and name extensions; see core/files.ts. */
export const fileTypes = z.string().transform((value, context): readonly string[] => {
  if (value === 'none') return [];
  const types = value.split(',').map(type => type.trim().toLowerCase());
  if (types.every(type => /^\.[\w-]{1,20}$|^[\w.+-]{1,100}\/([\w.+-]{1,100}|\*)$/.test(type))) return types;
  context.addIssue('not types of files');
  return z.NEVER;
});

/** Parses `org-a=key,org-b=key`. An organization may have several keys, so that one can be replaced without a gap. */
export const botKeys = z.string().transform((value, context): readonly BotKey[] => {
  const pairs = value.split(',').map(pair => {
    const [, organizationId = '', key = ''] = /^([^=\s]{1,200})=([\x21-\x7e]{32,1000})$/.exec(pair.trim()) ?? [];
    return { organizationId, key };
  });
  const areAllWhole = pairs.every(pair => pair.key !== '');
  if (areAllWhole && new Set(pairs.map(pair => pair.key)).size === pairs.length) return pairs;
  context.addIssue('not pairs with unique keys');
  return z.NEVER;
});
