import { Refusal } from '../platform/refusal.ts';
import type { GatewayBank } from './bank.ts';
import { type Check, checksFor } from './checks/index.ts';
import { parseParameter, splitPath } from './path.ts';
import type { Route } from './route.ts';

/** A route with everything that can be known before the first request. */
export interface CompiledRoute extends Route {
  /** `GET /accounts/{account}`: how records and metrics name it. */
  readonly name: string;
  /** Roles that allow its scope. */
  readonly roles: readonly string[];
  readonly checks: readonly Check[];
}

/** A route found for a request. */
export interface RouteMatch {
  readonly route: CompiledRoute;
  /** Decoded values of the segments in braces. */
  readonly parameters: Readonly<Record<string, string>>;
  /** The path in its one canonical spelling, as it goes to the bank. */
  readonly path: string;
}

interface Pattern {
  readonly segments: readonly string[];
  readonly byMethod: Map<string, CompiledRoute>;
}

/** Finds the route of a request. */
export interface RouteTable {
  /** @throws Refusal `not_found` 404 for an unknown or oddly spelt path, `method_not_allowed` 405 with `Allow` */
  match(method: string, path: string): RouteMatch;
}

/**
 * Compiles a bank's routes.
 * @throws Error naming the route when one is contradictory: the start is refused (LAB-21)
 */
export function createRouteTable(bank: GatewayBank): RouteTable {
  const patterns = new Map<string, Pattern>();
  for (const route of bank.regime.routes) addRoute(patterns, compileRoute(bank, route));
  const literal = new Map([...patterns].filter(([shape]) => !shape.includes('{')));
  const parametrised = [...patterns.values()].filter((pattern) => pattern.segments.some(isParameter));
  return {
    match(method, path) {
      const pattern = literal.get(path);
      if (pattern !== undefined) return { route: routeOf(pattern, method), parameters: noParameters, path };
      return matchParametrised(parametrised, method, path);
    },
  };
}

const noParameters: Readonly<Record<string, string>> = Object.freeze({});
const routePath = /^(?:\/(?:[A-Za-z0-9._-]+|\{[a-z]+\}))+$/;

function isParameter(segment: string): boolean {
  return segment.startsWith('{');
}

function addRoute(patterns: Map<string, Pattern>, route: CompiledRoute): void {
  const shape = route.path.replaceAll(/\{[a-z]+\}/g, '{}');
  const pattern = patterns.get(shape) ?? { segments: splitPath(route.path), byMethod: new Map() };
  if (pattern.byMethod.has(route.method))
    throw new Error(`route ${route.name}: another route has the same method and path`);
  pattern.byMethod.set(route.method, route);
  patterns.set(shape, pattern);
}

function compileRoute(bank: GatewayBank, given: Route): CompiledRoute {
  const route = { ...given, token: bank.routesByScopeAlone ? ('any' as const) : given.token };
  const name = `${route.method} ${route.path}`;
  const problem = problemOf(bank, given);
  if (problem !== undefined) throw new Error(`bank ${bank.id}, route ${name}: ${problem}`);
  return Object.freeze({
    ...route,
    name,
    roles: bank.regime.rolesByScope[route.scope] ?? [],
    checks: checksFor(route),
  });
}

const methods: readonly string[] = ['GET', 'POST', 'PUT', 'DELETE'];
const kinds: readonly string[] = ['customer', 'participant', 'any'];
const actions: readonly string[] = ['forward', 'tokenize', 'pay'];

/** What is wrong with a route, in words for the operator. */
function problemOf(bank: GatewayBank, route: Route): string | undefined {
  if (!methods.includes(route.method)) return 'unknown method';
  if (!routePath.test(route.path)) return 'the path is not a plain list of names and {parameters}';
  if (!kinds.includes(route.token)) return 'no kind of token is given';
  if (!actions.includes(route.action)) return 'unknown action';
  if (!route.scope) return 'no scope is given';
  if (!Object.hasOwn(bank.regime.scopes, route.scope)) return `unknown scope "${route.scope}"`;
  return contradictionOf(route);
}

function contradictionOf(route: Route): string | undefined {
  const namesAccount = route.path.includes('{account}') || route.action === 'tokenize';
  if (namesAccount && !route.consent) return 'it names an account and asks for no consent';
  if (route.consent && route.token === 'participant') return 'a participant token never carries a consent';
  if (route.action === 'pay' && route.consent) return 'the consent of a payment is the one that made the vault token';
  if (route.action !== 'forward' && route.method !== 'POST') return `action "${route.action}" needs POST`;
  if (route.action !== 'forward' && route.path.includes('{')) return `action "${route.action}" takes no path parameter`;
  return undefined;
}

function routeOf(pattern: Pattern, method: string): CompiledRoute {
  const route = pattern.byMethod.get(method);
  if (route !== undefined) return route;
  const allowed = [...pattern.byMethod.keys()].join(', ');
  throw new Refusal('method_not_allowed', 405, `This resource answers ${allowed} only.`, {
    headers: { allow: allowed },
  });
}

function matchParametrised(patterns: readonly Pattern[], method: string, path: string): RouteMatch {
  const segments = splitPath(path);
  for (const pattern of patterns) {
    const parameters = parametersOf(pattern.segments, segments);
    if (parameters === undefined) continue;
    return { route: routeOf(pattern, method), parameters, path: canonicalPath(pattern.segments, parameters) };
  }
  throw new Refusal('not_found', 404, 'There is no such resource at this bank.');
}

function parametersOf(pattern: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== segments.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, wanted] of pattern.entries()) {
    const segment = segments[index];
    if (segment === undefined) return undefined;
    if (!isParameter(wanted)) {
      if (wanted !== segment) return undefined;
      continue;
    }
    const value = parseParameter(segment);
    if (value === undefined) return undefined;
    parameters[wanted.slice(1, -1)] = value;
  }
  return parameters;
}

function canonicalPath(pattern: readonly string[], parameters: Readonly<Record<string, string>>): string {
  const spelt = pattern.map((segment) =>
    isParameter(segment) ? encodeURIComponent(parameters[segment.slice(1, -1)] ?? '') : segment,
  );
  return `/${spelt.join('/')}`;
}
