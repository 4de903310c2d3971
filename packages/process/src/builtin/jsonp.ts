import { type HttpRequest, type HttpResponse, json, refusal } from '../route.ts';

/** Names of functions, also inside objects; anything else could be a script of somebody else's. */
const functionName = /^[A-Za-z_$][\w$.]{0,99}$/;

/** JSON, or for `?jsonp=name` a script that calls the function with it. */
export function jsonOrScript(request: HttpRequest, value: object): HttpResponse {
  const callback = request.query.get('jsonp');
  if (callback === null) return json(value);
  if (!functionName.test(callback)) {
    return refusal(400, `Invalid jsonp '${callback}': expected the name of a function, such as 'show'.`);
  }
  return {
    status: 200,
    headers: { 'content-type': 'text/javascript' },
    body: `${callback}(${JSON.stringify(value)});`,
  };
}
