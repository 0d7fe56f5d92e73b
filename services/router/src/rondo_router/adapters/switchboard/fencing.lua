-- Fencing: only the newest owner of a partition has any effect, and only in a workspace that is whole.
--
-- rondo_claim_partition
--   keys:      the partition's epoch
--   arguments: the present time in ms
--   result:    the claimed epoch, a number greater than any given before. The time is its floor,
--              so that a wiped Redis cannot hand out an old one again.
-- rondo_hold_partition
--   keys:      the partition's epoch
--   arguments: epoch
--   result:    1: no smaller epoch is given any more, also when a wiped Redis had forgotten this one
-- rondo_adopt_workspace
--   keys:      the workspace
--   arguments: epoch
--   result:    1: from now on the owner with this epoch decides here
--
-- Invariants: an effect that carries a smaller epoch than its workspace has seen changes nothing
-- (FENCED), nor does one in a workspace that was never adopted, or forgotten since (LOST).

local function number(value)
  return string.format('%.0f', value)
end

-- nil when an owner with this epoch may act; else the error to give back.
local function fenced_off(workspace, epoch)
  local seen = tonumber(redis.call('GET', workspace .. ':epoch') or '0')
  if tonumber(epoch) < seen then
    return redis.error_reply('FENCED epoch ' .. epoch .. ' is older than ' .. number(seen))
  end
  return nil
end

local function check_epoch(workspace, epoch)
  local seen = redis.call('GET', workspace .. ':epoch')
  if not seen then
    return redis.error_reply('LOST ' .. workspace .. ' is not known here (any more)')
  end
  if tonumber(epoch) > tonumber(seen) then
    redis.call('SET', workspace .. ':epoch', epoch)
  end
  return fenced_off(workspace, epoch)
end

redis.register_function('rondo_claim_partition', function(keys, args)
  local epoch = math.max(tonumber(redis.call('GET', keys[1]) or '0') + 1, tonumber(args[1]))
  redis.call('SET', keys[1], number(epoch))
  return epoch
end)

redis.register_function('rondo_hold_partition', function(keys, args)
  if tonumber(redis.call('GET', keys[1]) or '0') < tonumber(args[1]) then
    redis.call('SET', keys[1], args[1])
  end
  return 1
end)

redis.register_function('rondo_adopt_workspace', function(keys, args)
  local fenced = fenced_off(keys[1], args[1])
  if fenced then return fenced end
  redis.call('SET', keys[1] .. ':epoch', args[1])
  return 1
end)
