-- Reading: how far each side has read.
--
-- rondo_gateway_is_read_further
--   keys:      where the log has each message, how far each side has read
--   arguments: side, message id
--   result:    1 if the message comes after what the side has read, 0 if not, -1 if it is not known
-- rondo_gateway_mark_read
--   keys:      the same
--   arguments: side, message id, kept for (s)
--   result:    1 if the side has read further now, else 0
--
-- rondo_gateway_unread_by_agent
--   keys:      where the log has each message of the visitor's, how far each side has read
--   result:    how many of the visitor's messages the agent's side has not read
--
--   <ws>:conversation:<id>:messages:ids     sorted set: message ids, by their offset in the log; filled as
--                                           messages are posted, see messages.lua
--   <ws>:conversation:<id>:messages:of_visitor    the same, of those that the visitor wrote
--   <ws>:conversation:<id>:messages:read    hash: side -> offset in the log
--
-- Invariant: how far a side has read never goes back.

local function further(keys, side, message)
  local offset = tonumber(redis.call('ZSCORE', keys[1], message))
  if not offset then return nil end
  local read = tonumber(redis.call('HGET', keys[2], side) or '-1')
  return offset > read and offset or false
end

redis.register_function('rondo_gateway_is_read_further', function(keys, args)
  local offset = further(keys, args[1], args[2])
  if offset == nil then return -1 end
  return offset and 1 or 0
end)

redis.register_function('rondo_gateway_mark_read', function(keys, args)
  local offset = further(keys, args[1], args[2])
  if not offset then return 0 end
  redis.call('HSET', keys[2], args[1], string.format('%.0f', offset))
  redis.call('EXPIRE', keys[2], args[3])
  return 1
end)

redis.register_function('rondo_gateway_unread_by_agent', function(keys)
  local read = redis.call('HGET', keys[2], 'agent') or '-1'
  return redis.call('ZCOUNT', keys[1], '(' .. read, '+inf')
end)
