import { X509Certificate } from 'node:crypto';
import { getCACertificates } from 'node:tls';

/** Certificates between a sender's own and a root. */
const MOST_ISSUERS = 4;

/** The certificates of a PEM document: the first is the sender's own, those behind it are its issuers'. Throws on a broken one. */
export function certificatesIn(text: string): readonly X509Certificate[] {
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return found.slice(0, 1 + MOST_ISSUERS).map((pem) => new X509Certificate(pem));
}

/** When a certificate expires, in epoch milliseconds. */
export function expiryOf({ validTo }: X509Certificate): number {
  return Date.parse(validTo);
}

export function isValidNow(certificate: X509Certificate): boolean {
  const now = Date.now();
  return Date.parse(certificate.validFrom) <= now && now <= expiryOf(certificate);
}

/** Brings the document at the URL that a certificate names for its issuer; a text says why not. */
type FetchIssuer = (url: string) => Promise<Uint8Array | string>;

/**
 * Why a certificate is not one of these names, or does not lead to a root that Node trusts; null when all is well. Issuers that are
 * not in the document are fetched from where the certificate says. Source: RFC 5280, 4.2.2.1 and 6.1.
 */
export async function trustProblem(
  certificates: readonly X509Certificate[],
  names: readonly string[],
  fetchIssuer: FetchIssuer,
): Promise<string | null> {
  const [own, ...others] = certificates;
  if (own === undefined) return 'its answer is no certificate';
  if (!isValidNow(own)) return 'its certificate is not valid now';
  if (!names.some((name) => own.checkHost(name) !== undefined)) {
    return `its certificate is not that of ${names.join(' or ')}`;
  }
  let current = own;
  for (let count = 0; count <= MOST_ISSUERS; count += 1) {
    if (hasRoot(current)) return null;
    if (current.checkIssued(current)) {
      return `its certificate leads to ${nameOf(current.subject)}, which is no trusted root`;
    }
    const issuer =
      others.find((each) => isIssuer(each, current)) ?? (await fetchedIssuer(current, fetchIssuer));
    if (typeof issuer === 'string') return issuer;
    current = issuer;
  }
  return `its certificate has more than ${MOST_ISSUERS} issuers`;
}

function isIssuer(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return (
    issuer.ca && isValidNow(issuer) && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
  );
}

/** Reading all roots takes a tenth of a second: only those are read in which the issuer's name is written. */
function hasRoot(certificate: X509Certificate): boolean {
  const name = nameOf(certificate.issuer);
  return getCACertificates().some((pem) => {
    const bytes = Buffer.from(pem.replaceAll(/-----[A-Z ]+-----/g, ''), 'base64');
    return bytes.includes(name) && isIssuer(new X509Certificate(bytes), certificate);
  });
}

/** `C=US\nO=Amazon\nCN=Amazon Root CA 1` → `Amazon Root CA 1`, up to a character that is written escaped. */
function nameOf(subject: string): string {
  return /^[\w .-]*/.exec(subject.slice(subject.lastIndexOf('=') + 1))?.[0] ?? '';
}

async function fetchedIssuer(
  certificate: X509Certificate,
  fetchIssuer: FetchIssuer,
): Promise<X509Certificate | string> {
  const [, url] = /^CA Issuers - URI:(\S+)$/m.exec(certificate.infoAccess ?? '') ?? [];
  const name = nameOf(certificate.issuer);
  if (url === undefined) return `its certificate does not lead to a trusted root: that of ${name} is missing`;
  const document = await fetchIssuer(url);
  if (typeof document === 'string') return `the certificate of ${name}: ${document}`;
  const issuer = new X509Certificate(document);
  return isIssuer(issuer, certificate) ? issuer : `the certificate at ${url} is not that of ${name}`;
}
