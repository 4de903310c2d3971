import { Process } from '../process.ts';
import { type HttpRequest, type HttpResponse, json, refusal } from '../route.ts';

interface Endpoint {
  /** With a leading slash, without the process id. */
  readonly name: string;
  readonly text: string;
}

const hidden = new Set(['help', '__processes__']);

/** `/help`, `/help/<id>`, `/help/<id>/<route>`: pages made from the routes and their help texts, as they are now. */
export class HelpProcess extends Process {
  constructor() {
    super('help');
  }

  protected override initialize(): void {
    this.route('/', (request) => this.#answer(request), { fallback: true });
  }

  #answer(request: HttpRequest): HttpResponse {
    const [id, ...rest] = request.rest.split('/');
    if (id === undefined || id === '') {
      if (request.query.get('format') === 'json') return json({ processes: this.#processes() });
      return page(request, this.#index());
    }
    const endpoints = hidden.has(id) ? [] : this.#endpoints(id);
    if (endpoints.length === 0) return refusal(400, `No help available for '${id}'.`);
    if (rest.length === 0) return page(request, this.#ofProcess(id, endpoints));
    const name = `/${rest.join('/')}`;
    const endpoint = endpoints.find((each) => each.name === name);
    if (endpoint === undefined) return refusal(400, `No help available for '/${id}${name}'.`);
    return page(request, this.#ofEndpoint(id, endpoint));
  }

  #processes(): readonly { readonly id: string; readonly endpoints: readonly Endpoint[] }[] {
    return this.runtime.processes
      .filter((id) => !hidden.has(id))
      .map((id) => ({ id, endpoints: this.#endpoints(id) }))
      .filter(({ endpoints }) => endpoints.length > 0);
  }

  #endpoints(id: string): readonly Endpoint[] {
    const routes = [...(this.runtime.cell(id)?.routes ?? [])];
    return routes
      .map(([key, { options }]) => ({ name: `/${key}`, text: options.help ?? '' }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #index(): string {
    const lines = this.#processes().map(({ id }) => `- [/help/${id}](${linkTo(id)})`);
    return ['# Processes with endpoints', '', ...lines, ''].join('\n');
  }

  #ofProcess(id: string, endpoints: readonly Endpoint[]): string {
    const lines = endpoints.map(({ name, text }) => `- [${pathOf(id, name)}](${linkTo(id, name)}) ${text}`);
    return [`# ${id}`, '', ...lines, ''].join('\n');
  }

  #ofEndpoint(id: string, { name, text }: Endpoint): string {
    const usage = [`>        ${pathOf(id, name)}`];
    if (this.runtime.router.delegate === id) usage.unshift(`>        ${name}`);
    return ['### USAGE ###', ...usage, '', '### TL;DR; ###', text, ''].join('\n');
  }
}

function pathOf(id: string, name: string): string {
  return name === '/' ? `/${id}` : `/${id}${name}`;
}

/** Parentheses, which ids such as `job(1)` have, would end a link of Markdown. */
function linkTo(id: string, name = '/'): string {
  const segments = [id, ...name.split('/')].filter((segment) => segment !== '');
  return `/help/${segments.map((segment) => encodeURIComponent(segment).replaceAll('(', '%28').replaceAll(')', '%29')).join('/')}`;
}

/** Plain Markdown for tools of the command line, a page of HTML for browsers. */
function page(request: HttpRequest, markdown: string): HttpResponse {
  if (/^(curl|HTTPie)/.test(request.headers['user-agent'] ?? '')) {
    return { status: 200, headers: { 'content-type': 'text/x-markdown' }, body: markdown };
  }
  const linked = escape(markdown).replaceAll(/\[([^\]]*)\]\(([^)]*)\)/g, '<a href="$2">$1</a>');
  const body = `<!doctype html>\n<meta charset="utf-8">\n<title>Help</title>\n<pre>${linked}</pre>\n`;
  return { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, body };
}

function escape(markdown: string): string {
  return markdown.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
