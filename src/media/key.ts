/** As the core makes them: a message's id and the index of the file. */
const KEY = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-\d{1,4}$/;

/** What a sweep may remove: something else may lie in the same place. */
export const isKey = (name: string): boolean => KEY.test(name);

/** A key names one file and leads nowhere else. */
export function checkedKey(key: string): string {
  if (!isKey(key)) throw new Error('That is no key of the media store.');
  return key;
}
