-- Limits: how much is taken of each quota. The generic cell rate algorithm: of each quota only the
-- moment is kept at which everything taken so far will have been earned.
--
-- rondo_gateway_take
--   keys:      one of each quota
--   arguments: now (ms), then for each quota how many a minute
--   result:    { } when one of each was taken; else { number of the quota from 1, ms to wait }
--
--   <ws>:limit:<name>:<subject>    number: that moment, in ms
--
-- Invariant: within any minute at most twice what a quota allows is taken, and in the long run what it
-- allows; all are taken from, or none.

local MINUTE_MS = 60000

redis.register_function('rondo_gateway_take', function(keys, args)
  local now = tonumber(args[1])
  local earned = {}
  for i, key in ipairs(keys) do
    local cost = MINUTE_MS / tonumber(args[i + 1])
    earned[i] = math.max(tonumber(redis.call('GET', key) or '0'), now) + cost
    local wait = earned[i] - now - MINUTE_MS
    if wait > 0 then
      return { i, math.ceil(wait) }
    end
  end
  for i, key in ipairs(keys) do
    redis.call('SET', key, string.format('%.3f', earned[i]), 'PX', math.ceil(earned[i] - now))
  end
  return {}
end)
