import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { isIP } from 'node:net';

/** A certificate and its key, as PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority that lives as long as a test. */
export class Authority {
  readonly #name: string;
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  readonly cert: string;
  #serial = 1;

  constructor(name: string) {
    this.#name = name;
    this.cert = this.#sign(name, this.#keys.publicKey, [
      extension('55 1d 13', true, sequence(der(0x01, Buffer.from([0xff])))),
      // keyCertSign
      extension('55 1d 0f', true, der(0x03, Buffer.from([2, 0x04]))),
    ]);
  }

  /** For a client, or a server at this IPv4 address or host name. */
  issue(name: string, at = '127.0.0.1'): Certificate {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const place = isIP(at) === 4 ? der(0x87, Buffer.from(at.split('.').map(Number))) : der(0x82, Buffer.from(at));
    const cert = this.#sign(name, publicKey, [extension('55 1d 11', false, sequence(place))]);
    return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
  }

  /** RFC 5280 in short: what is signed, how, and the signature. */
  #sign(subject: string, key: KeyObject, extensions: readonly Buffer[]): string {
    const withSha256 = sequence(oid('2a 86 48 ce 3d 04 03 02'));
    const identified = extension('55 1d 0e', false, der(0x04, fingerprint(key)));
    const body = sequence(
      der(0xa0, der(0x02, Buffer.from([2]))),
      der(0x02, Buffer.from([this.#serial++])),
      withSha256,
      commonName(this.#name),
      sequence(der(0x17, Buffer.from('200101000000Z')), der(0x17, Buffer.from('491231235959Z'))),
      commonName(subject),
      key.export({ type: 'spki', format: 'der' }),
      der(0xa3, sequence(identified, ...extensions)),
    );
    const signature = Buffer.concat([Buffer.from([0]), sign('sha256', body, this.#keys.privateKey)]);
    const base64 = sequence(body, withSha256, der(0x03, signature)).toString('base64');
    return `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`;
  }
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}

function commonName(name: string): Buffer {
  return sequence(der(0x31, sequence(oid('55 04 03'), der(0x0c, Buffer.from(name)))));
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(critical ? [der(0x01, Buffer.from([0xff]))] : []), der(0x04, value));
}

function fingerprint(key: KeyObject): Buffer {
  return createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest();
}
