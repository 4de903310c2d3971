/** The part of the Standard Schema interface (standardschema.dev, version 1) that this library calls. */
export interface WireSchema<T> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<T> | Promise<SchemaResult<T>>;
    readonly types?: { readonly input: unknown; readonly output: T } | undefined;
  };
}

export type SchemaResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: unknown }[] };

/** A kind of message: its name on the wire and the type of its body. Without a schema it never crosses a wire. */
export interface Message<T> {
  readonly name: string;
  readonly schema: WireSchema<T> | undefined;
}

/** A kind of message that is answered: `ask` knows the type of the answer, `answer` checks it. */
export interface Request<Q, A> extends Message<Q> {
  readonly reply: Message<A>;
}

/** A kind of message that is answered by many items, one after another; see `Runtime.stream`. */
export interface StreamRequest<Q, T> extends Message<Q> {
  readonly item: Message<T>;
}

/** The type of a message kind's body. */
export type BodyOf<M> = M extends Message<infer T> ? T : never;

/**
 * Declares a kind of message. Two declarations with the same name are the same kind.
 *
 * @param schema what a body from the wire must satisfy: any synchronous Standard Schema (zod, TypeBox, valibot, …). Bytes in
 *   such a body are a view of the received frame (64 KB and more): copy what you keep.
 */
export function message<T = void>(name: string, schema?: WireSchema<T>): Message<T> {
  return { name, schema };
}

/**
 * Declares a question and its answer, which travels as kind `<name>.reply`.
 *
 * @param body what a question from the wire must satisfy. @param reply what an answer from the wire must satisfy.
 */
export function request<Q = void, A = void>(name: string, body?: WireSchema<Q>, reply?: WireSchema<A>): Request<Q, A> {
  return { name, schema: body, reply: message(`${name}.reply`, reply) };
}

/**
 * Declares a question whose answer is a stream of items, which travel as kind `<name>.item`.
 *
 * @param body what a question from the wire must satisfy. @param item what each item from the wire must satisfy.
 */
export function streamRequest<Q, T>(name: string, body?: WireSchema<Q>, item?: WireSchema<T>): StreamRequest<Q, T> {
  return { name, schema: body, item: message(`${name}.item`, item) };
}
