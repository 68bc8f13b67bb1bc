import type { Statements } from '../platform/database.ts';
import { integer, text } from '../platform/row.ts';

/** Adds requests to the minute that began at `windowStart` and gives each participant's total over all nodes. */
export async function addRequests(
  statements: Statements,
  windowStart: Date,
  requests: ReadonlyMap<string, number>,
): Promise<ReadonlyMap<string, number>> {
  // One order on every node, so that two of them never wait for each other's rows.
  const participants = [...requests.keys()].sort();
  const counts = participants.map((participant) => requests.get(participant) ?? 0);
  const rows = await statements.query(
    `INSERT INTO directory.request_counts AS counted (window_start, participant, requests)
     SELECT $1::timestamptz, added.participant, added.requests FROM unnest($2::text[], $3::int8[]) AS added (participant, requests)
     ON CONFLICT (window_start, participant) DO UPDATE SET requests = counted.requests + excluded.requests
     RETURNING participant, requests`,
    [windowStart, participants, counts],
  );
  return new Map(rows.map((row) => [text(row, 'participant'), integer(row, 'requests')]));
}

/** Removes at most `limit` counts of minutes that began before `before`; gives how many there were. */
export async function deleteRequestCounts(statements: Statements, before: Date, limit: number): Promise<number> {
  const rows = await statements.query(
    `DELETE FROM directory.request_counts WHERE (window_start, participant) IN (
       SELECT window_start, participant FROM directory.request_counts WHERE window_start < $1
       ORDER BY window_start, participant LIMIT $2 FOR UPDATE SKIP LOCKED)
     RETURNING participant`,
    [before, limit],
  );
  return rows.length;
}
