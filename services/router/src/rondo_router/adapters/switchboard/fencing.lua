-- Fencing: only the newest owner of a partition has any effect.
--
-- rondo_claim_partition
--   keys:      the partition's epoch
--   arguments: the present time in ms
--   result:    the claimed epoch, a number greater than any given before. The time is its floor,
--              so that a wiped Redis cannot hand out an old one again.
--
-- Invariant: an effect that carries a smaller epoch than its workspace has seen changes nothing.

local function check_epoch(workspace, epoch)
  local key = workspace .. ':epoch'
  local seen = tonumber(redis.call('GET', key) or '0')
  epoch = tonumber(epoch)
  if epoch < seen then
    return redis.error_reply('FENCED epoch ' .. epoch .. ' is older than ' .. seen)
  end
  if epoch > seen then
    redis.call('SET', key, string.format('%.0f', epoch))
  end
  return nil
end

redis.register_function('rondo_claim_partition', function(keys, args)
  local epoch = math.max(tonumber(redis.call('GET', keys[1]) or '0') + 1, tonumber(args[1]))
  redis.call('SET', keys[1], string.format('%.0f', epoch))
  return epoch
end)
