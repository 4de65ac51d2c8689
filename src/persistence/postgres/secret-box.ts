import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';

interface Key {
  readonly id: string;
  readonly bytes: Buffer;
}

const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seals secrets for the database with AES-256-GCM, bound to the place where they are stored: a sealed value that was
 * copied to another row does not open. Each sealed value contains its key's id. To rotate, pass the new secret first
 * and the old ones after it; new values are then sealed with the new one.
 */
export class SecretBox {
  private readonly current: Key;
  private readonly keys: ReadonlyMap<string, Key>;

  constructor(secret: string | Buffer, olderSecrets: readonly (string | Buffer)[] = []) {
    this.current = keyOf(secret);
    this.keys = new Map([...olderSecrets.map(keyOf), this.current].map(key => [key.id, key]));
  }

  /**
   * Seals a text. `place` names row and column, e.g. `support_account/<id>/credentials`; opening needs the same place.
   */
  seal(plain: string, place: string): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.current.bytes, iv).setAAD(Buffer.from(place));
    const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
    return `${this.current.id}.${Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url')}`;
  }

  /** Opens a sealed value. @throws Error when its key is unknown, or the value was changed or moved */
  open(sealed: string, place: string): string {
    const [id = '', body = ''] = sealed.split('.');
    const key = this.keys.get(id);
    if (!key)
      throw new Error(
        `${place} is sealed with key ${id}, and the secret key set here is ${this.current.id}. Start with the secret key that wrote it.`,
      );
    const bytes = Buffer.from(body, 'base64url');
    const decipher = createDecipheriv('aes-256-gcm', key.bytes, bytes.subarray(0, IV_BYTES), {
      authTagLength: TAG_BYTES,
    })
      .setAAD(Buffer.from(place))
      .setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8');
    } catch (cause) {
      throw new Error(
        `${place} does not open with its key, because it was changed or moved from another place. Set the account up again.`,
        { cause },
      );
    }
  }
}

/** Derives a separate key for this purpose, whatever else the secret is used for. */
function keyOf(secret: string | Buffer): Key {
  const bytes = Buffer.from(hkdfSync('sha256', secret, '', 'support/secret-box', 32));
  return { id: createHash('sha256').update('support/key-id').update(bytes).digest('hex').slice(0, 8), bytes };
}
