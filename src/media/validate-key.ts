/** The core's format: a message's id and the index of the file. */
const KEY = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-\d{1,4}$/;

/** True for files that a sweep may delete; the folder or bucket may contain others. */
export const isKey = (name: string): boolean => KEY.test(name);

/** Returns the key if it is valid. A valid key names one file and contains no path. */
export function validateKey(key: string): string {
  if (!isKey(key)) throw new Error('The key is not one of the media store. Create it with keyOfFile.');
  return key;
}
