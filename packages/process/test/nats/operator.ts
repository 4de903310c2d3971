import { createAccount, createOperator, createUser, type KeyPair } from 'nkeys.js';

/** An operator with one account, as `nsc` makes them: it signs users, whom the server knows by nothing but that signature. */
export class Operator {
  readonly #operator = createOperator();
  readonly #account = createAccount();

  /** For the server's configuration. */
  get configuration(): string {
    const account = this.#account.getPublicKey();
    const limits = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
    const operator = token(this.#operator, this.#operator.getPublicKey(), 'operator', 'operator', {});
    const own = token(this.#operator, account, 'account', 'account', { limits });
    return `operator: ${operator}\nresolver: MEMORY\nresolver_preload: { ${account}: ${own} }\n`;
  }

  /** The text of a `.creds` file. */
  credentials(name: string, permissions: object = {}): string {
    const user = createUser();
    const limits = { subs: -1, data: -1, payload: -1 };
    const jwt = token(this.#account, user.getPublicKey(), name, 'user', { ...limits, ...permissions });
    const seed = Buffer.from(user.getSeed()).toString();
    return `-----BEGIN NATS USER JWT-----
${jwt}
------END NATS USER JWT------

************************* IMPORTANT *************************
-----BEGIN USER NKEY SEED-----
${seed}
------END USER NKEY SEED------
`;
  }
}

function token(issuer: KeyPair, subject: string, name: string, type: string, claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ typ: 'JWT', alg: 'ed25519-nkey' })}.${part({
    jti: `${type}-${name}`,
    iat: 1_700_000_000,
    iss: issuer.getPublicKey(),
    name,
    sub: subject,
    nats: { ...claims, type, version: 2 },
  })}`;
  return `${signed}.${Buffer.from(issuer.sign(Buffer.from(signed))).toString('base64url')}`;
}
