-- Conversations: one as it is shown, with its place in the queue, and whether a missing one may still come.
--
-- rondo_gateway_find_conversation
--   keys:      the conversation's view, the queue, its pace, the epoch
--   arguments: conversation id
--   result:    { 'found', the view's fields (name, value, …), place }
--              { 'unknown' }      there is none
--              { 'rebuilding' }   none yet: what Redis lost is being brought back
--
-- rondo_gateway_desk_of_agent
--   keys:      the agent's conversations, the epoch
--   result:    { 'found' or 'rebuilding', conversation id, … }
--
-- rondo_gateway_loads
--   keys:      the epoch, then some agents' conversations
--   result:    { 'found', how many, … } or { 'rebuilding' }, as they may still be filled
--
-- rondo_gateway_place_in_queue
--   keys:      the conversation's view, the queue, its pace
--   arguments: conversation id
--   result:    place
--
--   place: { position from 1, seconds a place is worth or '' }, or {} when it is not shown as queued
--
-- Invariant: nobody is told of a place before the conversation is shown as queued, and no conversation is
-- unknown while the router, which keeps the epoch of every workspace it serves, has not brought it back.

local function place_in_queue(keys, id)
  local rank = redis.call('ZRANK', keys[2], id)
  if not rank or redis.call('HGET', keys[1], 'status') ~= 'queued' then return {} end
  return { rank + 1, redis.call('GET', keys[3]) or '' }
end

-- What it means that something is missing.
local function missing(epoch_key)
  return redis.call('EXISTS', epoch_key) == 1 and 'unknown' or 'rebuilding'
end

redis.register_function('rondo_gateway_find_conversation', function(keys, args)
  local fields = redis.call('HGETALL', keys[1])
  if #fields == 0 then return { missing(keys[4]) } end
  return { 'found', fields, place_in_queue(keys, args[1]) }
end)

redis.register_function('rondo_gateway_desk_of_agent', function(keys)
  local ids = redis.call('SMEMBERS', keys[1])
  if #ids == 0 and missing(keys[2]) == 'rebuilding' then return { 'rebuilding' } end
  table.insert(ids, 1, 'found')
  return ids
end)

redis.register_function('rondo_gateway_loads', function(keys)
  local loads, total = { 'found' }, 0
  for i = 2, #keys do
    loads[i] = redis.call('SCARD', keys[i])
    total = total + loads[i]
  end
  if total == 0 and missing(keys[1]) == 'rebuilding' then return { 'rebuilding' } end
  return loads
end)

redis.register_function('rondo_gateway_place_in_queue', function(keys, args)
  return place_in_queue(keys, args[1])
end)
