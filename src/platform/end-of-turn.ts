/**
 * Collects what one turn of the event loop brings and acts on all of it at its end. For writes to sockets: those that follow
 * each other at once wake the other side once, and being woken costs more than the write. What `act` throws is a defect.
 */
export function atEndOfTurn<T>(act: (item: T) => void): (item: T) => void {
  let collected: T[] = [];
  const run = (): void => {
    const items = collected;
    collected = [];
    for (const item of items) act(item);
  };
  return (item) => {
    if (collected.length === 0) setImmediate(run);
    collected.push(item);
  };
}
