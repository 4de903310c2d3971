import { type HttpResponse, json, methodNotAllowed, type RouteHandler } from '@mezzo/process';
import { version } from '../version.ts';
import { type StateSource, stateOf } from './state.ts';

export interface Endpoint {
  readonly handler: RouteHandler;
  readonly help: string;
}

/** Mesos's v0 endpoints of the master, by path. */
export function endpoints(source: StateSource): Readonly<Record<string, Endpoint>> {
  return {
    '/health': { help: 'Answers 200 while the master lives.', handler: get(() => ({ status: 200 })) },
    '/version': { help: 'Tells the version.', handler: get(() => json({ version })) },
    '/state': { help: 'Tells agents, frameworks, tasks and offers.', handler: get(() => json(stateOf(source))) },
  };
}

function get(answer: () => HttpResponse): RouteHandler {
  return ({ method }) => (method === 'GET' || method === 'HEAD' ? answer() : methodNotAllowed(['GET', 'HEAD'], method));
}

/** The folder lies beside `src` and `dist`, so both find it. */
const folder = decodeURIComponent(new URL('../../webui/', import.meta.url).pathname);

/** Files of the web page, by path. */
export const pages: Readonly<Record<string, string>> = {
  '/': `${folder}index.html`,
  '/app.js': `${folder}app.js`,
  '/style.css': `${folder}style.css`,
};
