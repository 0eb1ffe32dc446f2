import { createPublicKey, generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto';

/** A certificate with the private key that it is for. */
export interface Issued {
  readonly pem: string;
  readonly der: Buffer;
  readonly key: KeyObject;
}

interface Wanted {
  /** Common name, and DNS name where it is no authority. */
  readonly name: string;
  /** Default: itself. */
  readonly by?: Issued;
  /** Default: a fresh one on P-256. */
  readonly key?: KeyObject;
  readonly isAuthority?: boolean;
  /** Epoch milliseconds; default: a day around now. */
  readonly from?: number;
  readonly to?: number;
  /** URL of its issuer's certificate. */
  readonly issuerAt?: string;
}

const DAY_MS = 86_400_000;
let serial = 1;

/** Issues a certificate (RFC 5280). Authorities have keys on P-256. */
export function issue(wanted: Wanted): Issued {
  const { name, by, isAuthority = false, from = Date.now() - DAY_MS, to = Date.now() + DAY_MS } = wanted;
  const key = wanted.key ?? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const issuer = by === undefined ? name : new X509Certificate(by.der).subject.replace(/^CN=/, '');
  serial = (serial % 127) + 1;
  const content = sequence(
    tlv(0xa0, integer(2)),
    integer(serial),
    ECDSA_SHA256,
    commonName(issuer),
    sequence(time(from), time(to)),
    commonName(name),
    createPublicKey(key).export({ format: 'der', type: 'spki' }),
    tlv(0xa3, sequence(...extensions(wanted, isAuthority))),
  );
  const signature = sign('sha256', content, (by ?? { key }).key);
  const der = sequence(content, ECDSA_SHA256, tlv(0x03, Buffer.from([0]), signature));
  return { der, key, pem: new X509Certificate(der).toString() };
}

function extensions({ name, issuerAt }: Wanted, isAuthority: boolean): readonly Buffer[] {
  const constraints = isAuthority ? sequence(tlv(0x01, Buffer.from([0xff]))) : sequence();
  return [
    extension('2.5.29.19', constraints),
    ...(isAuthority ? [] : [extension('2.5.29.17', sequence(tlv(0x82, Buffer.from(name))))]),
    ...(issuerAt === undefined
      ? []
      : [
          extension(
            '1.3.6.1.5.5.7.1.1',
            sequence(sequence(oid('1.3.6.1.5.5.7.48.2'), tlv(0x86, Buffer.from(issuerAt)))),
          ),
        ]),
  ];
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(oid(id), tlv(0x04, value));
}

function tlv(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return tlv(0x30, ...parts);
}

/** Up to 127. */
function integer(value: number): Buffer {
  return tlv(0x02, Buffer.from([value]));
}

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [40 * first + second, ...rest].flatMap((arc) => {
    const low = arc & 0x7f;
    if (arc < 0x80) return [low];
    return arc < 0x4000 ? [0x80 | (arc >> 7), low] : [0x80 | (arc >> 14), 0x80 | ((arc >> 7) & 0x7f), low];
  });
  return tlv(0x06, Buffer.from(bytes));
}

function commonName(name: string): Buffer {
  return sequence(tlv(0x31, sequence(oid('2.5.4.3'), tlv(0x0c, Buffer.from(name)))));
}

/** UTCTime, as certificates have it before 2050. */
function time(at: number): Buffer {
  const digits = new Date(at).toISOString().replaceAll(/\D/g, '').slice(2, 14);
  return tlv(0x17, Buffer.from(`${digits}Z`));
}

const ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));
