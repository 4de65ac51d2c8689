import { type Call } from '../http/call';
import { file, redirect, refuse } from '../http/replies';
import { route, type Route } from '../http/router';
import type { Blob } from '../model';

/** `data_url` is public and permanent, and redirects to the file's bytes. */
const OPEN = { area: 'open' } as const;

function blobOf(call: Call): Blob {
  const blob = call.world.store.blobs.find(row => row.signedId === call.at['signedId']);
  if (!blob) throw refuse.barelyAbsent();
  return blob;
}

const toDisk = (call: Call) => {
  const blob = blobOf(call);
  return redirect(
    `${call.world.baseUrl}/rails/active_storage/disk/${blob.signedId}/${encodeURIComponent(blob.filename)}`,
  );
};

export const fileRoutes: Route[] = [
  ...route('GET|HEAD', '/rails/active_storage/blobs/redirect/:signedId/:filename', OPEN, toDisk),
  ...route('GET|HEAD', '/rails/active_storage/representations/redirect/:signedId/:variation/:filename', OPEN, toDisk),
  ...route('GET|HEAD', '/rails/active_storage/disk/:signedId/:filename', OPEN, call => {
    const blob = blobOf(call);
    const disposition = `inline; filename*=UTF-8''${encodeURIComponent(blob.filename)}`;
    return file(blob.contentType, blob.bytes, { 'content-disposition': disposition });
  }),
];
