-- Directory offsets: how far a workspace's directory must be read before its next request is decided.
--
-- rondo_gateway_note_directory_offset
--   keys:      the workspace's newest directory offset
--   arguments: an offset (exclusive) that a write was just given
--   result:    the newest offset
-- rondo_gateway_newest_directory_offset
--   keys:      the workspace's newest directory offset
--   result:    the newest offset; 0 when none was noted
--
-- Invariant: the stored offset never goes back, in whatever order writes are noted.

local function newest_directory_offset(key)
  return tonumber(redis.call('GET', key) or '0')
end

redis.register_function('rondo_gateway_note_directory_offset', function(keys, args)
  local newest = newest_directory_offset(keys[1])
  local noted = tonumber(args[1])
  if noted <= newest then return newest end
  redis.call('SET', keys[1], args[1])
  return noted
end)

redis.register_function('rondo_gateway_newest_directory_offset', function(keys)
  return newest_directory_offset(keys[1])
end)
