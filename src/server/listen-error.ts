import { ConfigError } from '../config/config-error';

/** Returns the error of a failed listen: about the setting that is wrong, if one is. */
export function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const isPort = error.code === 'EADDRINUSE' || error.code === 'EACCES';
  const isHost = error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND';
  if (isPort)
    return new ConfigError([
      {
        key: 'PORT',
        given: String(port),
        expected: `a port of ${host} that is free and that this process may use`,
        example: `PORT=${port < 65_535 ? Math.max(port, 1024) + 1 : 4000}`,
      },
    ]);
  if (isHost)
    return new ConfigError([
      { key: 'HOST', given: host, expected: 'an address of this machine', example: 'HOST=127.0.0.1' },
    ]);
  return error;
}
