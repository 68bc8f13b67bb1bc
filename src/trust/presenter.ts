import type { IncomingMessage } from 'node:http';
import type { Clock } from '../platform/clock.ts';
import {
  type CompiledSource,
  compileSource,
  type ForwardedSource,
  type Presented,
  presentedBy,
  presentedDirectly,
} from './forwarded.ts';
import type { Watch } from './observation.ts';

/** What a request shows of its certificate. */
export type Presenter = (request: IncomingMessage) => Presented;

/** Reading a request also deletes its certificate headers: what was found is kept for whoever asks again. */
export function createPresenter(
  clock: Clock,
  watch: Watch,
  forwarded: ((request: IncomingMessage) => ForwardedSource | undefined) | undefined,
): Presenter {
  const sources = new WeakMap<ForwardedSource, CompiledSource>();
  const requests = new WeakMap<IncomingMessage, Presented>();
  const sourceFor = (request: IncomingMessage): CompiledSource | undefined => {
    const settings = forwarded?.(request);
    if (settings === undefined) return undefined;
    const known = sources.get(settings) ?? compileSource(settings);
    sources.set(settings, known);
    return known;
  };
  return (request) => {
    const source = sourceFor(request);
    // Read once per connection already, and there is nothing in the headers that counts: nothing to remember.
    if (source === undefined) return presentedDirectly(request);
    const known = requests.get(request);
    if (known !== undefined) return known;
    const presented = presentedBy(request, source, clock.now());
    requests.set(request, presented);
    const { remoteAddress: peer = 'unknown' } = request.socket;
    report(presented, watch, peer);
    return presented;
  };
}

function report(presented: Presented, watch: Watch, peer: string): void {
  if (isSpoofed(presented)) watch.spoofed({ peer });
  if ('refused' in presented && presented.fault !== undefined) watch.parserFailed({ peer, what: presented.fault });
}

function isSpoofed(presented: Presented): boolean {
  if ('refused' in presented) return presented.refused === 'header_untrusted_source';
  return 'absent' in presented && presented.absent === 'header_untrusted_source';
}
