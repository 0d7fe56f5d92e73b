-- Mailboxes: each recipient is told each event once, in order.
--
-- rondo_deliver
--   keys:      the mailbox (a stream), the ids it has lately taken in (a sorted set)
--   arguments: event id, entry (JSON), its offset in rondo.conversations ('' when it stands elsewhere),
--              entries to keep, seconds to keep the mailbox
--   result:    the entry's id, or false when the mailbox knows the event already
--
-- The doorbell, a channel with the mailbox's name, rings for every new entry.
--
-- Invariant: an event id stands in a mailbox at most once among the entries kept.

redis.register_function('rondo_deliver', function(keys, args)
  local mailbox, known = keys[1], keys[2]
  local event, entry, offset, kept, kept_s = args[1], args[2], args[3], tonumber(args[4]), args[5]
  if redis.call('ZSCORE', known, event) then
    return false
  end
  local last = redis.call('ZRANGE', known, -1, -1, 'WITHSCORES')
  redis.call('ZADD', known, tonumber(last[2] or '0') + 1, event)
  redis.call('ZREMRANGEBYRANK', known, 0, -kept - 1)
  local fields = { 'event', entry }
  if offset ~= '' then
    fields = { 'event', entry, 'log_offset', offset }
  end
  local id = redis.call('XADD', mailbox, 'MAXLEN', kept, '*', unpack(fields))
  redis.call('EXPIRE', mailbox, kept_s)
  redis.call('EXPIRE', known, kept_s)
  redis.call('PUBLISH', mailbox, '')
  return id
end)
