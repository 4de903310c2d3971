import { messageOf } from '../errors.ts';

/** Why a NATS server could not be reached, in words that say what to do; never with a secret. */
export function causeOf(error: unknown): string {
  // One cause stands for those of several servers.
  if (error instanceof AggregateError) return causeOf(error.errors[0]);
  const code = codeOf(error);
  switch (code) {
    case 'CONNECTION_REFUSED':
    case 'ECONNREFUSED':
      return 'connection refused; is a server running there?';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'there is no host of that name';
    case 'TIMEOUT':
    case 'CONNECTION_TIMEOUT':
      return 'no answer in time; does a NATS server listen there, and is it running?';
    case 'AUTHORIZATION_VIOLATION':
      return 'it refused our credentials';
    case 'SERVER_OPT_NA':
      return 'it offers no TLS, which our options ask for';
    case 'BAD_CREDS':
      return 'our credentials are not the text of a .creds file, with a JWT and a seed between their markers';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `its certificate is for another address (${lineOf(error)})`;
    default:
      if (error instanceof Error && error.name === 'NKeysError') return 'our nkey seed is none';
      if (untrusted.has(code))
        return `we do not trust its certificate (${lineOf(error)}); see the options tls.ca and tls.caFile`;
      return lineOf(error);
  }
}

/** What OpenSSL says of a certificate whose authority is not known. */
const untrusted = new Set<unknown>([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
]);

function lineOf(error: unknown): string {
  return messageOf(error)
    .trim()
    .replace(/\s*\n\s*/g, ' ');
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
